import { isAbsolute } from 'node:path';
import { WhorlError } from '@whorl/protocol';
import { z } from 'zod';
import { LOCAL_PLACE } from '../place.ts';
import { route } from '../route.ts';
import { done } from '../schemas.ts';

/** Copies of the database. */
export const backupRoutes = [
  route({
    method: 'POST',
    path: '/backups',
    name: 'backups.make',
    role: 'admin',
    doc:
      'Makes a backup while the gateway works, and reads it back. It writes a file on the gateway’s machine, so it can ' +
      'be asked there only.',
    body: z.strictObject({
      file: z.string().min(1).max(4096).describe('Absolute path of a file that is not there.'),
    }),
    detail: ({ body }) => body,
    answer: z.strictObject({ file: z.string(), bytes: z.int(), users: z.int() }),
    handle: ({ body, place }, { store }) => {
      if (place !== LOCAL_PLACE)
        throw new WhorlError('AUTH_ROLE', 'backups are made on the gateway’s own machine');
      if (!isAbsolute(body.file))
        throw new WhorlError('REQUEST_INVALID', `${body.file} is not an absolute path`);
      return store.backups.make(body.file);
    },
  }),
  route({
    method: 'POST',
    path: '/database/copies',
    name: 'database.copy',
    role: 'admin',
    doc:
      'Copies the tables as they are at one moment into an SQLite file on the gateway’s machine, for `whorl db copy`; it ' +
      'can be asked there only.',
    body: z.strictObject({
      file: z.string().min(1).max(4096).describe('Absolute path of a file that is not there.'),
    }),
    detail: ({ body }) => body,
    answer: done,
    handle: async ({ body, place }, { store }) => {
      if (place !== LOCAL_PLACE)
        throw new WhorlError('AUTH_ROLE', 'the database is copied on the gateway’s own machine');
      if (!isAbsolute(body.file))
        throw new WhorlError('REQUEST_INVALID', `${body.file} is not an absolute path`);
      await store.backups.copy(body.file);
      return {};
    },
  }),
];
