import { WhorlError } from '@whorl/protocol';
import { z } from 'zod';
import { CONFLICT_KINDS, CONFLICT_STATES } from '../../store/conflict-kinds.ts';
import {
  conflictSummarySchema,
  conflictSummaryView,
  conflictView,
  conflictViewSchema,
} from '../conflict-views.ts';
import { route } from '../route.ts';
import { after, count, definedOnly, knownTerminal, text, userId } from '../schemas.ts';

const id = z.object({ id: z.coerce.number().int().min(1) });
const user = z.int().min(1).max(0xffff_ffff);
const kind = z.enum(CONFLICT_KINDS);
const side = z.enum(['ours', 'theirs']);

/** What merges did not take: looking at it, deciding it, taking a decision back. */
export const conflictRoutes = [
  route({
    method: 'GET',
    path: '/conflicts',
    name: 'conflicts.list',
    role: 'viewer',
    doc: 'What terminals hold otherwise than the gateway, and a merge did not take; by ascending id.',
    query: z.strictObject({
      user: userId.optional(),
      terminal: text.optional().describe('Where it was seen.'),
      kind: kind.optional(),
      state: z.enum([...CONFLICT_STATES, 'all']).default('open'),
      after: after.optional().describe('With higher ids.'),
      limit: count.default(100),
    }),
    answer: z.array(conflictSummarySchema),
    handle: async ({ query: { state, limit, ...filter } }, { operations }) => {
      await knownTerminal(operations, filter.terminal);
      const wanted = { ...definedOnly(filter), limit };
      const found = await operations.conflicts(state === 'all' ? wanted : { ...wanted, state });
      return found.map(conflictSummaryView);
    },
  }),
  route({
    method: 'GET',
    path: '/conflicts/:id',
    name: 'conflicts.show',
    role: 'viewer',
    doc: 'A conflict with both sides: what, who wrote it, where, when, and by which log record; never templates.',
    params: id,
    answer: conflictViewSchema,
    handle: async ({ params }, { store }) => {
      const conflict = await store.conflict(params.id);
      if (conflict === undefined)
        throw new WhorlError('CONFLICT_UNKNOWN', `there is no conflict ${params.id}`);
      return conflictView(conflict, await store.user(conflict.user));
    },
  }),
  route({
    method: 'POST',
    path: '/conflicts/accept',
    name: 'conflicts.accept-all',
    role: 'operator',
    doc: 'Decides all open conflicts of a user, a terminal, a kind, or what is all of these that are named.',
    body: z
      .strictObject({
        take: side,
        user: user.optional(),
        terminal: text.optional(),
        kind: kind.optional(),
      })
      .refine(
        (body) => body.user !== undefined || body.terminal !== undefined || body.kind !== undefined,
        'names neither user nor terminal nor kind',
      ),
    detail: ({ body }) => body,
    answer: z.strictObject({ decided: z.int() }),
    handle: async ({ body: { take, ...filter } }, { operations }) => {
      await knownTerminal(operations, filter.terminal);
      return { decided: await operations.decideConflicts(definedOnly(filter), take) };
    },
  }),
  route({
    method: 'POST',
    path: '/conflicts/:id/accept',
    name: 'conflicts.accept',
    role: 'operator',
    doc:
      'Decides a conflict; what follows goes out to the terminals. `ours`: the gateway’s stays. `theirs`: the ' +
      'terminal’s takes its place; of two people, the terminal’s has the id from now on. `new-id`, for two people: the ' +
      'terminal’s becomes a user of their own, under the id that is given or a free one.',
    params: id,
    body: z.discriminatedUnion('take', [
      z.strictObject({ take: side }),
      z.strictObject({ take: z.literal('new-id'), user: user.exactOptional() }),
    ]),
    detail: ({ body }) => body,
    answer: conflictSummarySchema,
    handle: async ({ params, body }, { operations }) =>
      conflictSummaryView(await operations.decideConflict(params.id, body)),
  }),
  route({
    method: 'POST',
    path: '/conflicts/:id/undo',
    name: 'conflicts.undo',
    role: 'operator',
    doc: 'Takes a decision back: the conflict is open again, and the user is as before.',
    params: id,
    answer: conflictSummarySchema,
    handle: async ({ params }, { operations }) =>
      conflictSummaryView(await operations.undoConflict(params.id)),
  }),
];
