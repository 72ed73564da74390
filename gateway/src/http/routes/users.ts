import { WhorlError } from '@whorl/protocol';
import { z } from 'zod';
import type { Store, StoredUser } from '../../store/store.ts';
import { confirmation, pageOf, previewQuery, previewSchema } from '../preview.ts';
import { route } from '../route.ts';
import { after, count, definedOnly, done, text, userId } from '../schemas.ts';
import {
  editOf,
  summaryView,
  summaryViewSchema,
  userEditSchema,
  userView,
  userViewSchema,
} from '../views.ts';

const id = z.object({ id: userId });

/** Users, and where they go. */
export const userRoutes = [
  route({
    method: 'GET',
    path: '/users',
    name: 'users.list',
    role: 'viewer',
    doc: 'Users by ascending id.',
    query: z.strictObject({
      after: after.optional().describe('With higher ids.'),
      limit: count.default(100),
      name: text.optional().describe('With this in their name.'),
      group: z.coerce.number().int().optional().describe('Of this access group.'),
    }),
    answer: z.array(summaryViewSchema),
    handle: async ({ query: { limit, ...filter } }, { store }) =>
      (await store.users({ ...definedOnly(filter), limit })).map(summaryView),
  }),
  route({
    method: 'POST',
    path: '/users',
    name: 'users.add',
    role: 'operator',
    doc: 'Adds a user, who goes out by itself as autoSync says.',
    body: userEditSchema.extend({ id: userId }),
    bodyIs: 'user',
    answer: z.strictObject({ id: z.int(), version: z.int() }),
    status: 201,
    target: ({ body }) => `user ${body.id}`,
    handle: async ({ body }, { operations }) => ({
      id: body.id,
      version: await operations.addUser(body.id, editOf(body)),
    }),
  }),
  route({
    method: 'GET',
    path: '/users/:id',
    name: 'users.show',
    role: 'viewer',
    doc: 'A user; never templates.',
    params: id,
    answer: userViewSchema,
    handle: async ({ params }, { store }) => userView(params.id, await held(store, params.id)),
  }),
  route({
    method: 'PATCH',
    path: '/users/:id',
    name: 'users.edit',
    role: 'operator',
    doc: 'Changes a user; with `from`, only when that is still the version.',
    params: id,
    body: userEditSchema.extend({ from: z.int().optional() }),
    bodyIs: 'user',
    answer: z.strictObject({ version: z.int() }),
    handle: async ({ params, body }, { operations }) => ({
      version: await operations.editUser(params.id, editOf(body), body.from),
    }),
  }),
  route({
    method: 'DELETE',
    path: '/users/:id',
    name: 'users.delete',
    role: 'operator',
    doc: 'Deletes a user here and at the terminals.',
    params: id,
    answer: done,
    handle: async ({ params, caller }, { operations }) => {
      await operations.deleteUser(params.id, caller.name);
      return {};
    },
  }),
  route({
    method: 'POST',
    path: '/users/:id/erase',
    name: 'users.erase',
    role: 'admin',
    doc:
      'Erases a user on request: here, at every terminal as soon as it answers, and, by destroying their data keys, from ' +
      'what backups hold. Who did it, when, why and the ids of the keys stay in the audit trail.',
    params: id,
    body: z.strictObject({ reason: text.describe('Kept for ever: no name and nothing else of the person.') }),
    detail: ({ body }) => body,
    answer: z.strictObject({
      keys: z.array(z.string()).readonly().describe('Ids of the data keys that were destroyed.'),
      unreached: z.array(z.string()).readonly().describe('Where keys could not be destroyed; do it by hand.'),
    }),
    handle: async ({ params, body, caller, place }, { operations, audit }) => {
      const erased = await operations.eraseUser(params.id, caller.name);
      const by = { who: caller.name, place, deed: 'users.erased', target: `user ${params.id}` };
      await audit.note({ ...by, detail: { reason: body.reason, ...erased } }, 'done');
      return erased;
    },
  }),
  route({
    method: 'POST',
    path: '/users/delete',
    name: 'users.delete-all',
    role: 'operator',
    doc:
      'Deletes users here and at the terminals. Where that removes many from a terminal it has to be confirmed; with ' +
      '`dryRun` it is answered who would be removed, and where.',
    query: previewQuery,
    body: z.strictObject({ users: z.array(z.int().min(1).max(0xffff_ffff)).min(1).max(100_000) }),
    detail: ({ body, query }) => ({ ...body, ...confirmation(query) }),
    answer: z.union([z.strictObject({ deleted: z.int() }), previewSchema]),
    handle: async ({ body, query, caller }, { operations }) =>
      query.dryRun
        ? operations.previewDeletion(body.users, pageOf(query))
        : { deleted: await operations.deleteUsers(body.users, { confirm: query.confirm }, caller.name) },
  }),
  route({
    method: 'POST',
    path: '/users/:id/push',
    name: 'users.push',
    role: 'operator',
    doc: 'Sends a user to terminals whatever autoSync says; brings back what was deleted there.',
    params: id,
    body: z.strictObject({ terminals: z.array(text).min(1) }),
    detail: ({ body }) => body,
    answer: z.strictObject({ rows: z.int().describe('Ledger rows made pending.') }),
    handle: async ({ params, body }, { operations }) => ({
      rows: await operations.push([params.id], body.terminals),
    }),
  }),
  route({
    method: 'POST',
    path: '/users/:id/pull',
    name: 'users.pull',
    role: 'operator',
    doc: 'Fetches a user from a terminal whatever autoSync says, and merges it.',
    params: id,
    body: z.strictObject({ terminal: text }),
    detail: ({ body }) => body,
    answer: done,
    handle: async ({ params, body }, { operations }) => {
      await operations.pull(params.id, body.terminal);
      return {};
    },
  }),
  route({
    method: 'GET',
    path: '/users/:id/record',
    name: 'users.record',
    role: 'admin',
    audited: 'look',
    doc: 'A whole user with templates, for an export that is encrypted where it is written.',
    params: id,
    answer: z.strictObject({
      id: z.int(),
      fields: z.record(z.string(), z.base64()).describe('By field number.'),
    }),
    handle: async ({ params }, { store }) => {
      const { record } = await held(store, params.id);
      const fields = [...record.fields].map(([number, value]) => [
        number,
        Buffer.from(value).toString('base64'),
      ]);
      return { id: params.id, fields: Object.fromEntries(fields) as Record<string, string> };
    },
  }),
];

/** @throws WhorlError USER_UNKNOWN */
async function held(store: Store, user: number): Promise<StoredUser> {
  const found = await store.user(user);
  if (found === undefined) throw new WhorlError('USER_UNKNOWN', `there is no user ${user}`);
  return found;
}
