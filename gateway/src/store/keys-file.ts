import { readFileSync } from 'node:fs';
import { WhorlError } from '@whorl/protocol';
import { z } from 'zod';
import { writeDurably } from './durable.ts';
import type { Files } from './ground.ts';
import type { KeyRow } from './keys.ts';
import { translatedFile } from './sqlite-errors.ts';

// Data keys of backups, wrapped under the master key. One file for all backups of a gateway in a directory, written anew
// with each backup and each erasure: a key that is destroyed is destroyed for the oldest backup too.

const schema = z.strictObject({
  whorl: z.literal('data keys of backups'),
  store: z.string(),
  keys: z.array(z.tuple([z.string(), z.int(), z.int(), z.base64()])),
  erased: z.array(z.tuple([z.int(), z.int()])),
});

/** @param store id of the database whose backups they are for */
export function keysFile(store: string): string {
  return `whorl-${store}.keys`;
}

/** What a restore needs beside a backup. */
export interface KeysKept {
  readonly keys: readonly KeyRow[];
  /** Users who were erased while a terminal still had to lose them, and when, milliseconds UTC. */
  readonly erased: readonly (readonly [user: number, time: number])[];
}

/** @throws WhorlError STORE_* */
export function writeKeysFile(files: Files, path: string, store: string, kept: KeysKept): void {
  const keys = kept.keys.map(({ id, user, master, wrapped }): [string, number, number, string] => [
    Buffer.from(id).toString('hex'),
    user,
    master,
    Buffer.from(wrapped).toString('base64'),
  ]);
  const text = JSON.stringify({
    whorl: 'data keys of backups',
    store,
    keys,
    erased: kept.erased.map(([user, time]): [number, number] => [user, time]),
  } satisfies z.input<typeof schema>);
  translatedFile(() => {
    writeDurably(files, path, `${text}\n`);
  });
}

/** @throws WhorlError BACKUP_KEYS */
export function readKeysFile(path: string): KeysKept {
  try {
    const { keys, erased } = schema.parse(JSON.parse(readFileSync(path, 'utf8')));
    const rows = keys.map(([id, user, master, wrapped]) => ({
      id: Uint8Array.from(Buffer.from(id, 'hex')),
      user,
      master,
      wrapped: Uint8Array.from(Buffer.from(wrapped, 'base64')),
    }));
    return { keys: rows, erased };
  } catch (cause) {
    throw new WhorlError('BACKUP_KEYS', path, { cause });
  }
}
