import { z } from 'zod';
import { ROLES } from '../../settings/roles.ts';
import { route } from '../route.ts';
import { accountName, done, milliseconds, secret } from '../schemas.ts';

const name = z.object({ name: accountName });
const role = z.enum(ROLES);
const MOST_DAYS = 3660;

/** Accounts, and tokens for programs. */
export const accountRoutes = [
  route({
    method: 'GET',
    path: '/accounts',
    name: 'accounts.list',
    role: 'admin',
    doc: 'Who may log in.',
    answer: z
      .array(z.strictObject({ name: z.string(), role, created: milliseconds, changed: milliseconds }))
      .readonly(),
    handle: (_asked, { access }) => access.accounts(),
  }),
  route({
    method: 'POST',
    path: '/accounts',
    name: 'accounts.add',
    role: 'admin',
    doc: 'Adds an account.',
    body: z.strictObject({ name: accountName, role, password: secret }),
    answer: done,
    status: 201,
    target: ({ body }) => `account ${body.name}`,
    detail: ({ body }) => ({ role: body.role }),
    handle: async ({ body }, { access }) => {
      await access.addAccount(body);
      return {};
    },
  }),
  route({
    method: 'PATCH',
    path: '/accounts/:name',
    name: 'accounts.change',
    role: 'admin',
    doc: 'Changes role or password; all sessions and tokens of the account end.',
    params: name,
    body: z.strictObject({ role: role.optional(), password: secret.optional() }),
    answer: done,
    detail: ({ body }) => ({ ...body, ...(body.password === undefined ? {} : { password: 'another' }) }),
    handle: async ({ params, body }, { access }) => {
      await access.changeAccount(params.name, body);
      return {};
    },
  }),
  route({
    method: 'DELETE',
    path: '/accounts/:name',
    name: 'accounts.remove',
    role: 'admin',
    doc: 'Removes an account with its sessions and tokens; never the last admin.',
    params: name,
    answer: done,
    handle: async ({ params }, { access }) => {
      await access.removeAccount(params.name);
      return {};
    },
  }),
  route({
    method: 'GET',
    path: '/tokens',
    name: 'tokens.list',
    role: 'admin',
    doc: 'Sessions and tokens of programs, without their secrets.',
    answer: z
      .array(
        z.strictObject({
          id: z.string(),
          account: z.string(),
          kind: z.enum(['session', 'program']),
          label: z.string().describe('What it is for; of a session, where it was opened from.'),
          role,
          created: milliseconds,
          expires: milliseconds,
          ends: milliseconds.describe('When it cannot be renewed any more, milliseconds UTC.'),
        }),
      )
      .readonly(),
    handle: (_asked, { access }) => access.tokens(),
  }),
  route({
    method: 'POST',
    path: '/tokens',
    name: 'tokens.make',
    role: 'admin',
    doc: 'Makes a token for a program. Its secret is answered this once.',
    body: z.strictObject({
      account: accountName.describe('Whose it is: it ends with that account.'),
      label: z.string().min(1).max(64).describe('What it is for.'),
      role: role.describe('At most that of the account.'),
      days: z.int().min(1).max(MOST_DAYS).default(90).describe('How long it is valid.'),
    }),
    answer: z.strictObject({ id: z.string(), token: z.string(), expires: milliseconds }),
    status: 201,
    target: ({ body }) => `account ${body.account}`,
    detail: ({ body: { label, role: may, days } }) => ({ label, role: may, days }),
    handle: ({ body }, { access }) => access.makeToken(body),
  }),
  route({
    method: 'DELETE',
    path: '/tokens/:id',
    name: 'tokens.revoke',
    role: 'admin',
    doc: 'Ends a session or a token of a program.',
    params: z.object({ id: z.string().regex(/^[0-9a-f]{1,32}$/, 'the id of a token') }),
    answer: done,
    handle: async ({ params }, { access }) => {
      await access.revoke(params.id);
      return {};
    },
  }),
];
