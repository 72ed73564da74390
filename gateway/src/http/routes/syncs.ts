import { z } from 'zod';
import { SYNC_STATES } from '../../store/tasks.ts';
import { syncViewSchema } from '../../tasks/view-schema.ts';
import { followSyncs } from '../follow-syncs.ts';
import { OwnAnswer, route } from '../route.ts';
import { count, definedOnly, done, text } from '../schemas.ts';
import { wantsSse } from '../stream.ts';

const id = z.object({ id: z.coerce.number().int().min(1) });

/** Sync sessions of portable terminals: looked at, followed, cancelled. */
export const syncRoutes = [
  route({
    method: 'GET',
    path: '/syncs',
    name: 'syncs.list',
    role: 'viewer',
    doc: 'Sync sessions, newest first.',
    query: z.strictObject({
      terminal: text.optional(),
      task: z.coerce.number().int().min(1).optional(),
      state: z.enum(SYNC_STATES).optional(),
      limit: count.default(50),
    }),
    answer: z.array(syncViewSchema).readonly(),
    handle: ({ query: { limit, ...filter } }, { tasks }) => tasks.syncs({ ...definedOnly(filter), limit }),
  }),
  route({
    method: 'GET',
    path: '/syncs/:id',
    name: 'syncs.show',
    role: 'viewer',
    doc: 'A sync session: how far it is, and what came of it.',
    params: id,
    answer: syncViewSchema,
    handle: ({ params }, { tasks }) => tasks.sync(params.id),
  }),
  route({
    method: 'GET',
    path: '/syncs/progress',
    name: 'syncs.follow',
    role: 'viewer',
    doc: 'Sync sessions that run, then each one each time that it has moved on: a JSON object a line, or server-sent events.',
    query: z.strictObject({ terminal: text.optional() }),
    media: ['application/x-ndjson', 'text/event-stream'],
    answer: syncViewSchema,
    handle: async ({ query: { terminal }, request }, { tasks, clock, onFailure }) => {
      const first = await tasks.syncs({ ...definedOnly({ terminal }), state: 'running', limit: 1000 });
      const sse = wantsSse(request);
      return new OwnAnswer((reply) => followSyncs({ reply, tasks, clock, sse, onFailure, first, terminal }));
    },
  }),
  route({
    method: 'POST',
    path: '/terminals/:name/sync/cancel',
    name: 'syncs.cancel',
    role: 'operator',
    doc: 'Cancels the sync session of a portable terminal: it holds what it held before, unsent changes too.',
    params: z.object({ name: text }),
    target: ({ params }) => `terminal ${params.name}`,
    answer: done,
    handle: async ({ params, caller }, { tasks }) => {
      await tasks.cancel(params.name, caller.name);
      return {};
    },
  }),
];
