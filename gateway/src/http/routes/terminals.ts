import { z } from 'zod';
import { route } from '../route.ts';
import { text } from '../schemas.ts';

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
    doc: 'Compares what a terminal holds with what it should, by content; with `repair`, brings it in line.',
    params: name,
    detail: ({ body }) => body,
    body: z.strictObject({ repair: z.boolean().default(false) }),
    answer: z.strictObject({
      terminal: z.string(),
      same: z.int(),
      different: users,
      missing: users.describe('Only here.'),
      extra: users.describe('Only there.'),
      pushed: z.int().describe('Users on their way to it now.'),
      pulled: z.int().describe('Users asked back from it now.'),
    }),
    handle: ({ params, body }, { operations }) => operations.compare(params.name, body),
  }),
];
