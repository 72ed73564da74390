import { z } from 'zod';
import { MOST_MINUTES } from '../../sites/lock.ts';
import { route } from '../route.ts';
import { done, milliseconds, secret } from '../schemas.ts';

/** The lock of the sync settings: it is opened for one account, and closed for all. */
export const siteLockRoutes = [
  route({
    method: 'POST',
    path: '/sites/lock/code',
    name: 'sites.lock.code',
    role: 'admin',
    doc: 'Sets the code of the sync settings, or another one in its place; it closes them for everybody.',
    body: z.strictObject({
      code: secret,
      current: secret.optional().describe('The present one, when there is one.'),
    }),
    target: () => 'sync settings',
    answer: done,
    handle: async ({ body, caller }, { sites }) => {
      await sites.lock.setCode(caller.name, body);
      return {};
    },
  }),
  route({
    method: 'POST',
    path: '/sites/lock/open',
    name: 'sites.lock.open',
    role: 'installer',
    doc: 'Opens the sync settings for who asks, for so many minutes; a restart closes them too.',
    body: z.strictObject({ code: secret, minutes: z.int().min(1).max(MOST_MINUTES).default(15) }),
    target: () => 'sync settings',
    detail: ({ body: { minutes } }) => ({ minutes }),
    answer: z.strictObject({ until: milliseconds }),
    handle: async ({ body, caller }, { sites }) => ({ until: await sites.lock.open(caller.name, body) }),
  }),
  route({
    method: 'POST',
    path: '/sites/lock/close',
    name: 'sites.lock.close',
    role: 'operator',
    doc: 'Closes the sync settings for everybody.',
    target: () => 'sync settings',
    answer: done,
    handle: async (_asked, { sites }) => {
      await sites.lock.close('asked');
      return {};
    },
  }),
];
