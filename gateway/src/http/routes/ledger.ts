import { z } from 'zod';
import { route } from '../route.ts';
import { count, definedOnly, knownTerminal, milliseconds, text, userId } from '../schemas.ts';

const STATES = ['pending', 'sending', 'verified', 'failed', 'withheld'] as const;

const rowSchema = z.strictObject({
  user: z.int(),
  terminal: z.string(),
  want: z.enum(['present', 'absent']),
  state: z.enum(STATES),
  version: z.int().describe('Of the user, that the state speaks of.'),
  reason: z.string().optional(),
  attempts: z.int(),
  nextTry: milliseconds.optional(),
  checked: milliseconds.optional().describe('When the terminal’s digest was last seen to be right.'),
  delivered: z.int().optional().describe('Version that the terminal was last seen to hold.'),
});

/** Which user is where, or why not. */
export const ledgerRoutes = [
  route({
    method: 'GET',
    path: '/ledger',
    name: 'ledger.list',
    role: 'viewer',
    doc: 'Which user is where, or why not.',
    query: z.strictObject({
      user: userId.optional(),
      terminal: text.optional(),
      state: z.enum(STATES).optional(),
      limit: count.default(1000),
    }),
    answer: z.array(rowSchema).readonly(),
    handle: async ({ query: { limit, ...filter } }, { operations, store }) => {
      await knownTerminal(operations, filter.terminal);
      return store.ledger({ ...definedOnly(filter), limit });
    },
  }),
  route({
    method: 'POST',
    path: '/ledger/retry',
    name: 'ledger.retry',
    role: 'operator',
    doc: 'Makes failed rows pending again: all, or those of a user, or of a terminal.',
    body: z.strictObject({ user: userId.optional(), terminal: text.optional() }),
    detail: ({ body }) => body,
    answer: z.strictObject({ retried: z.int() }),
    handle: async ({ body }, { operations }) => ({ retried: await operations.retry(definedOnly(body)) }),
  }),
];
