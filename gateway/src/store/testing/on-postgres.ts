import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, inject, onTestFinished, vi } from 'vitest';
import type { StoreOptions } from '../open.ts';
import { databaseOf, useServer } from './place.ts';
import { NO_POSTGRES } from './postgres.ts';

// The tests that open stores in files and in memory open them on a PostgreSQL server instead: a schema for each.

const server = inject('postgres');
if (server !== undefined) useServer(server);

/** What is about SQLite's own file: copied with its directory, opened by a thief, restored in its place. */
const OF_FILES = [
  /went back to/,
  /^S10 a restored backup/,
  /^S10 on a new machine/,
  /^S10 who was deleted behind the backup/,
  /^G7 a stolen database file/,
  /^G7 killed at any step of a change/,
  /^G7 after the change the old key opens nothing/,
  /^G7 a backup from before the change is restored/,
  /^G7 what cannot be reached keeps the old key/,
];
/** Tens of thousands of rows, one by one: on a file it says as much in an eighth of the time. */
const LONG = [/^B4 of conflicts that were decided/, /^B5 of very many who were deleted/];

beforeEach((context) => {
  if (server === undefined) context.skip(NO_POSTGRES);
  const { name } = context.task;
  if (OF_FILES.some((pattern) => pattern.test(name)))
    context.skip('on PostgreSQL: it is about the file itself');
  if (LONG.some((pattern) => pattern.test(name))) context.skip('on PostgreSQL: it takes too long');
});

/** A data directory is a schema, also when it is opened again. */
function moved({ data, database, ...options }: StoreOptions): StoreOptions {
  const directory = typeof data === 'string' ? data : scratch();
  return { ...options, data: directory, database: database ?? databaseOf(directory) };
}

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-on-postgres-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

vi.mock(import('../open.ts'), async (importOriginal) => {
  const original = await importOriginal();
  return {
    ...original,
    openStore: (options, ...more) => original.openStore(moved(options), ...more),
  };
});
