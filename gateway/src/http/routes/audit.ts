import { z } from 'zod';
import { route } from '../route.ts';
import { after, count, definedOnly, milliseconds } from '../schemas.ts';

/** Who did what. */
export const auditRoutes = [
  route({
    method: 'GET',
    path: '/audit',
    name: 'audit.list',
    role: 'admin',
    doc: 'Who did what, from where, on what, and what came of it; by ascending number.',
    query: z.strictObject({
      after: after.optional().describe('With higher numbers.'),
      last: count.optional().describe('The newest so many.'),
      limit: count.default(100),
      who: z.string().max(64).optional(),
      deed: z.string().max(64).optional().describe('Such as users.edit.'),
    }),
    answer: z
      .array(
        z.strictObject({
          seq: z.int(),
          time: milliseconds,
          who: z.string(),
          place: z.string(),
          deed: z.string(),
          target: z.string(),
          detail: z.unknown().optional(),
          outcome: z
            .string()
            .describe('`done`, the code of an error, or `asked`: the end was not written down.'),
          over: milliseconds.optional(),
        }),
      )
      .readonly(),
    handle: ({ query: { last, limit, ...filter } }, { audit }) =>
      audit.list({ ...definedOnly(filter), newest: last !== undefined, limit: last ?? limit }),
  }),
  route({
    method: 'GET',
    path: '/audit/verify',
    name: 'audit.verify',
    role: 'admin',
    doc: 'Whether every entry is there, unchanged and in its place.',
    query: z.strictObject({
      head: z
        .string()
        .regex(/^\d{1,15}:[0-9a-f]{64}$/, 'a head as an earlier verification answered it')
        .optional()
        .describe('Noted elsewhere: also shows that the whole database was replaced by an older one.'),
    }),
    answer: z.strictObject({
      sound: z.boolean(),
      entries: z.int(),
      head: z.string().describe('The newest entry; worth noting elsewhere.'),
      findings: z.array(z.strictObject({ seq: z.int(), text: z.string() })).readonly(),
    }),
    handle: ({ query }, { audit }) => audit.verify(query.head),
  }),
];
