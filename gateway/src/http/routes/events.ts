import { z } from 'zod';
import { EVENT_TYPES } from '../../events/catalogue.ts';
import { follow } from '../follow.ts';
import { OwnAnswer, route } from '../route.ts';
import { lastEventId, wantsSse } from '../stream.ts';
import { after, count, definedOnly, knownTerminal, milliseconds, text, userId } from '../schemas.ts';

const eventSchema = z.strictObject({
  id: z.int().describe('Counts up in the order of storing.'),
  type: z.enum(EVENT_TYPES),
  time: milliseconds,
  line: z.string().optional(),
  terminal: z.string().optional(),
  user: z.int().optional(),
  origin: z.enum(['terminal', 'gateway']).optional().describe('Who made the change.'),
  source: z.string().optional().describe('For what comes from a terminal’s log: serial, epoch and log id.'),
  data: z.looseObject({}).describe('By type.'),
});

/** What happened, and what happens. */
export const eventRoutes = [
  route({
    method: 'GET',
    path: '/events',
    name: 'events.list',
    role: 'viewer',
    doc:
      'What happened. With `follow`, also what happens from then on: a JSON object a line, or server-sent events for ' +
      'who accepts `text/event-stream`; those go on after `Last-Event-ID` without gap or double.',
    query: z.strictObject({
      after: after.optional().describe('Events with higher ids.'),
      last: count.optional().describe('The newest so many.'),
      limit: count.default(100),
      type: z.enum(EVENT_TYPES).optional(),
      terminal: text.optional(),
      user: userId.optional(),
      follow: z.stringbool().default(false),
    }),
    media: ['application/json', 'application/x-ndjson', 'text/event-stream'],
    answer: z.array(eventSchema).readonly(),
    handle: async ({ query, request }, tools) => {
      await knownTerminal(tools.operations, query.terminal);
      const { type, terminal, user } = query;
      const filter = definedOnly({ type, terminal, user });
      const resumed = lastEventId(request);
      const from = resumed ?? query.after;
      const last = resumed === undefined ? query.last : undefined;
      const first = await tools.store.events({
        ...filter,
        ...definedOnly({ after: from }),
        newest: last !== undefined,
        limit: last ?? query.limit,
      });
      if (!query.follow) return first;
      const sse = wantsSse(request);
      return new OwnAnswer((reply) => follow({ ...tools, reply, filter, first, after: from ?? 0, sse }));
    },
  }),
];
