import { z } from 'zod';
import { previewSchema } from '../preview.ts';
import { route } from '../route.ts';
import { text, milliseconds } from '../schemas.ts';

const name = z.object({ name: text });
const pairingCode = z.string().regex(/^\d{6}$/, 'the six digits that the terminal shows');
const users = z.array(z.int()).readonly();

/** Terminals: who may talk with this gateway, and whether they hold what they should. */
export const terminalRoutes = [
  route({
    method: 'POST',
    path: '/terminals/:name/pair',
    name: 'terminals.pair',
    role: 'installer',
    doc: 'Pairs with the terminal that answers under this name; `replace` lets it take the place of another one.',
    params: name,
    body: z.strictObject({ code: pairingCode, replace: z.boolean().default(false) }),
    answer: z.strictObject({ serial: z.string() }),
    handle: async ({ params, body }, { operations }) => ({
      serial: await operations.pair(params.name, body),
    }),
  }),
  route({
    method: 'POST',
    path: '/terminals/:name/unpair',
    name: 'terminals.unpair',
    role: 'installer',
    doc: 'Ends the pairing: the terminal gets nothing any more, and keeps what it holds.',
    params: name,
    answer: z.strictObject({ serial: z.string() }),
    handle: async ({ params }, { operations }) => ({ serial: await operations.unpair(params.name) }),
  }),
  route({
    method: 'POST',
    path: '/terminals/:name/compare',
    name: 'terminals.compare',
    role: 'installer',
    doc:
      'Compares what a terminal holds with what it should, by content and blind to what it cannot hold. `take` resolves ' +
      'differences, of `users` or of all. gateway: what differs or is missing is sent, who is only there is removed. ' +
      'terminal: what it holds is taken; fields that it lacks are not cleared, who is missing there stays deleted there. ' +
      'both: as gateway, but who is only there is fetched.',
    params: name,
    detail: ({ body }) => body,
    body: z.strictObject({
      take: z.enum(['gateway', 'terminal', 'both']).optional(),
      users: z.array(z.int().min(1).max(0xffff_ffff)).min(1).max(100_000).optional(),
      dryRun: z.boolean().default(false).describe('Only answers what would be done, as `preview`.'),
      confirm: text.optional().describe('What a dry run answered; it is then done as shown.'),
      fieldsOf: z
        .int()
        .min(0)
        .max(1000)
        .optional()
        .describe('Also says in which fields they differ, of the first so many; each is fetched for that.'),
      after: z.int().min(0).optional().describe('Of a dry run: names users with higher ids.'),
      limit: z.int().min(1).max(10_000).default(100).describe('Of a dry run: names about so many users.'),
    }),
    answer: z.strictObject({
      terminal: z.string(),
      same: z.int(),
      different: users,
      missing: users.describe('Only here.'),
      extra: users.describe('Only there.'),
      heldApart: users.describe('Somebody else has these ids there; see their conflicts.'),
      deleted: z
        .array(
          z.strictObject({
            user: z.int(),
            time: milliseconds,
            by: z.string(),
            how: z.enum(['deleted', 'erased']),
          }),
        )
        .readonly()
        .describe('Of those only there, who was deleted here; they are removed there instead of fetched.'),
      pushed: z.int().describe('Users who are, or would be, sent to it.'),
      pulled: z.int().describe('Fetched from it.'),
      removed: z.int().describe('Removed from it.'),
      fields: z
        .array(
          z.strictObject({
            user: z.int(),
            field: z.string(),
            is: z.enum(['different', 'only-here', 'only-there']),
          }),
        )
        .readonly()
        .optional(),
      preview: previewSchema.optional(),
    }),
    handle: ({ params, body: { after, ...body } }, { operations }) =>
      operations.compare(params.name, { ...body, ...(after === undefined ? {} : { after }) }),
  }),
];
