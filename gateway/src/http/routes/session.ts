import { z } from 'zod';
import { ROLES } from '../../settings/roles.ts';
import { route } from '../route.ts';
import type { Tools } from '../route.ts';
import { accountName, done, milliseconds, secret } from '../schemas.ts';

const sessionSchema = z.strictObject({
  token: z.string().describe('For `Authorization: Bearer`.'),
  expires: milliseconds.describe('When the token expires, milliseconds UTC.'),
  refresh: z.string().describe('Exchanged for the next session, once.'),
  ends: milliseconds.describe('When the refresh token expires, milliseconds UTC.'),
  name: z.string(),
  role: z.enum(ROLES),
});

/** A name that nobody has may be a password that was typed in the wrong place. */
async function knownAccount(
  { body }: { readonly body: { readonly name: string } },
  { access }: Pick<Tools, 'access'>,
): Promise<string> {
  const known = (await access.accounts()).some(({ name }) => name === body.name);
  return known ? `account ${body.name}` : 'an unknown account';
}

/** Logging in and out. */
export const sessionRoutes = [
  route({
    method: 'POST',
    path: '/login',
    name: 'session.login',
    role: 'anyone',
    doc: 'Opens a session with name and password.',
    body: z.strictObject({ name: z.string().min(1).max(64), password: secret }),
    answer: sessionSchema,
    target: knownAccount,
    detail: () => undefined,
    handle: async ({ body, request, place }, { access, guard }) => {
      await guard.guess(request, body.name);
      return access.login(body.name, body.password, place);
    },
  }),
  route({
    method: 'POST',
    path: '/refresh',
    name: 'session.refresh',
    audited: 'no',
    role: 'anyone',
    doc: 'Goes on with a session: each refresh token works once, and a stolen one ends the session.',
    body: z.strictObject({ refresh: secret }),
    answer: sessionSchema,
    handle: ({ body }, { access }) => access.refresh(body.refresh),
  }),
  route({
    method: 'POST',
    path: '/logout',
    name: 'session.logout',
    role: 'viewer',
    doc: 'Ends the session, or the token, that it is asked with.',
    answer: done,
    handle: async ({ caller }, { access }) => {
      if (caller.token !== undefined) await access.revoke(caller.token);
      return {};
    },
  }),
  route({
    method: 'POST',
    path: '/setup',
    name: 'session.setup',
    role: 'anyone',
    doc: 'Makes the first admin, with the one-time code that the gateway shows at its start.',
    body: z.strictObject({ code: z.string().min(1).max(32), name: accountName, password: secret }),
    answer: done,
    status: 201,
    target: ({ body }) => `account ${body.name}`,
    detail: () => undefined,
    handle: async ({ body, request }, { access, guard }) => {
      await guard.guess(request, body.name);
      await access.setUp(body.code, body.name, body.password);
      return {};
    },
  }),
  route({
    method: 'GET',
    path: '/me',
    name: 'me.show',
    role: 'viewer',
    doc: 'Who asks, and what they may.',
    answer: z.strictObject({ name: z.string(), role: z.enum(ROLES) }),
    handle: ({ caller }) => ({ name: caller.name, role: caller.role ?? 'viewer' }),
  }),
  route({
    method: 'POST',
    path: '/me/password',
    name: 'me.password',
    role: 'viewer',
    doc: 'Changes one’s own password; all sessions and tokens of the account end.',
    body: z.strictObject({ old: secret, password: secret }),
    answer: done,
    target: ({ caller }) => `account ${caller.name}`,
    detail: () => undefined,
    handle: async ({ body, caller, request }, { access, guard }) => {
      await guard.guess(request, caller.name);
      await access.changePassword(caller.name, body.old, body.password);
      return {};
    },
  }),
];
