import { rmSync, mkdtempSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { codeOf, encodeUser, readRecord, systemClock } from '@whorl/protocol';
import { checkDatabase } from '../check.ts';
import { machine } from '../ground.ts';
import { MIGRATIONS as SQLITE, migrate } from '../migrations.ts';
import { postgresPrograms, NO_POSTGRES, startPostgres } from '../testing/postgres.ts';
import type { PostgresServer } from '../testing/postgres.ts';
import type { ClientSettings } from './client.ts';
import { serverPlace } from '../../settings/database.ts';
import { openStore } from '../open.ts';
import type { LedgerRow, UserChange } from '../store.ts';
import { moveToServer } from './moving.ts';
import { PostgresConnection } from './connection.ts';
import { migratePostgres } from './schema.ts';

// Each connection is a thread that begins.
vi.setConfig({ testTimeout: 60_000 });
const programs = postgresPrograms();
let server: PostgresServer | undefined;
let schemas = 0;

/** No database takes it. */
const unsound: LedgerRow = {
  ...{ user: Number.NaN, terminal: 'door', want: 'present', state: 'pending', version: 1, attempts: 0 },
};

beforeAll(async () => {
  if (programs !== undefined) server = await startPostgres(programs);
}, 60_000);
afterAll(() => server?.stop());

function given(context: { skip(note: string): never }): PostgresServer {
  return server ?? context.skip(NO_POSTGRES);
}

function connect(server: PostgresServer): PostgresConnection {
  schemas += 1;
  const schema = `s${schemas}`;
  const made = new PostgresConnection(settings(server, schema));
  onTestFinished(() => made.close());
  migratePostgres(made, schema);
  return made;
}

function settings(
  { url, password }: Pick<PostgresServer, 'url' | 'password'>,
  schema: string,
): ClientSettings {
  const place = serverPlace(url);
  if (place === undefined) throw new Error(url);
  return { ...place, password, schema };
}

test('S12 both databases have the same tables and columns', (context) => {
  const postgres = connect(given(context));
  const sqlite = machine.connect(':memory:');
  migrate(sqlite);
  const ours = postgres
    .prepare(
      `SELECT table_name AS t, column_name AS c FROM information_schema.columns
       WHERE table_schema = current_schema() AND table_name NOT IN ('schema_version', 'sqlite_sequence')`,
    )
    .all();
  const theirs = sqlite
    .prepare(
      `SELECT m.name AS t, c.name AS c FROM sqlite_schema m, pragma_table_info(m.name) c
       WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'`,
    )
    .all();
  const names = (rows: typeof ours): string[] => rows.map(({ t, c }) => `${String(t)}.${String(c)}`).sort();
  expect(names(ours)).toEqual(names(theirs));
  expect(SQLITE.length).toBeGreaterThan(0);
});

test('S12 a schema that a newer release made is refused, and stays as it is', (context) => {
  const connection = connect(given(context));
  connection.exec('UPDATE schema_version SET version = 999');
  expect(code(() => migratePostgres(connection, `s${schemas}`))).toBe('STORE_NEWER');
  expect(connection.isTransaction).toBe(false);
});

test('S12 a server that goes away is told by its code, and taken up again once it is back', async (context) => {
  const { kill, start } = given(context);
  const connection = connect(given(context));
  connection.prepare('INSERT INTO notes (key, value) VALUES (?, ?)').run('kept', 'yes');
  await kill();
  expect(code(() => connection.prepare('SELECT value FROM notes').get())).toBe('STORE_UNREACHABLE');
  expect(code(() => connection.prepare('SELECT value FROM notes').get())).toBe('STORE_UNREACHABLE');
  await start();
  expect(connection.prepare('SELECT value FROM notes').get()).toEqual({ value: 'yes' });
});

test('S12 what a lost connection had not committed is gone, and the connection knows it', async (context) => {
  const { kill, start, ...rest } = given(context);
  const connection = connect({ ...rest, kill, start });
  connection.prepare('BEGIN IMMEDIATE').run();
  connection.prepare('INSERT INTO notes (key, value) VALUES (?, ?)').run('lost', 'yes');
  await kill();
  expect(code(() => connection.prepare('COMMIT').run())).toBe('STORE_UNREACHABLE');
  expect(connection.isTransaction).toBe(false);
  await start();
  expect(connection.prepare('SELECT value FROM notes').all()).toEqual([]);
});

test('S12 a connection that is lost amid a transaction is not made anew for the rest of it', (context) => {
  const running = given(context);
  const connection = connect(running);
  const add = connection.prepare('INSERT INTO notes (key, value) VALUES (?, ?)');
  connection.prepare('BEGIN IMMEDIATE').run();
  add.run('first', 'yes');
  const eye = new PostgresConnection(settings(running, 'eye'));
  onTestFinished(() => eye.close());
  const end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'whorl'";
  eye.prepare(`${end} AND pid <> pg_backend_pid()`).all();
  expect(code(() => add.run('second', 'yes'))).toBe('STORE_UNREACHABLE');
  expect(connection.isTransaction).toBe(false);
  expect(connection.prepare('SELECT key FROM notes').all()).toEqual([]);
});

test('S12 what is put off is done in its order, and what goes wrong with it is told with what is asked next', (context) => {
  const connection = connect(given(context));
  const add = connection.prepare('INSERT INTO notes (key, value) VALUES (?, ?)');
  const keys = () =>
    connection
      .prepare('SELECT key FROM notes ORDER BY key')
      .all()
      .map(({ key }) => key);
  connection.exec('BEGIN IMMEDIATE');
  for (const key of ['a', 'b', 'c']) add.put?.(key, 'yes');
  expect(keys()).toEqual(['a', 'b', 'c']);
  connection.exec('SAVEPOINT step');
  add.put?.('d', 'yes');
  add.put?.('a', 'a second time');
  add.put?.('e', 'yes');
  expect(() => connection.exec('RELEASE step')).toThrow(/duplicate key/);
  connection.exec('ROLLBACK TO step');
  add.put?.('f', 'yes');
  connection.exec('COMMIT');
  expect(keys()).toEqual(['a', 'b', 'c', 'f']);
  connection.exec('BEGIN IMMEDIATE');
  add.put?.('g', 'never');
  connection.exec('ROLLBACK');
  expect(keys()).toEqual(['a', 'b', 'c', 'f']);
});

test('S12 a wrong password is refused by its code, and not told', (context) => {
  const { url } = given(context);
  const connection = new PostgresConnection(settings({ url, password: 'wrong-one' }, 'x'));
  onTestFinished(() => connection.close());
  expect(code(() => connection.exec('SELECT 1'))).toBe('STORE_REFUSED');
  expect(() => connection.exec('SELECT 1')).not.toThrow(/wrong-one/);
});

test('S12 a copy into SQLite has all rows, and goes on counting where the original was', async (context) => {
  const connection = connect(given(context));
  const directory = mkdtempSync(join(tmpdir(), 'whorl-copy-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const add = connection.prepare('INSERT INTO events (time, type, data) VALUES (?, ?, ?)');
  connection.prepare('BEGIN IMMEDIATE').run();
  for (let time = 1; time <= 1_201; time += 1) add.run(time, 'x', '{}');
  connection.prepare('DELETE FROM events WHERE time = ?').run(1_201);
  connection
    .prepare('INSERT INTO keys (id, "user", master, wrapped) VALUES (?, 1, 1, ?)')
    .run(Buffer.from([0, 1, 255]), Buffer.from([7]));
  connection.prepare('COMMIT').run();
  const path = join(directory, 'copy.db');
  await connection.copyTo(path);
  expect(connection.isTransaction).toBe(false);
  const copy = machine.connect(path);
  onTestFinished(() => copy.close());
  expect(copy.prepare('SELECT count(*) AS count, max(id) AS last FROM events').get()).toEqual({
    count: 1_200,
    last: 1_200,
  });
  expect(copy.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'").get()).toEqual({ seq: 1_201 });
  expect(copy.prepare('SELECT id, wrapped FROM keys').get()).toEqual({
    id: new Uint8Array([0, 1, 255]),
    wrapped: new Uint8Array([7]),
  });
});

function code(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return codeOf(error);
  }
  return undefined;
}

test('S12 a database is moved to a server with all that it holds, its keys staying where they are', async (context) => {
  const { url, passwordFile } = given(context);
  const data = mkdtempSync(join(tmpdir(), 'whorl-move-'));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const record = readRecord(encodeUser({ id: 7, name: 'Grace' }));
  const change: UserChange = {
    ...{ user: 7, from: 0, next: { record, version: 1, provenance: new Map() } },
    ...{ ledger: [], events: [], time: 5 },
  };
  const file = openStore({ data });
  await file.saveUser(change);
  await file.close();
  const database = { url, passwordFile, schema: 'moved' };
  const move = (replace: boolean) =>
    moveToServer({
      ...{ data, database, replace, clock: systemClock, random: randomBytes },
      snapshot: async () => false,
      told: () => undefined,
    });
  expect((await move(false)).rows).toBeGreaterThan(2);
  await expect(move(false)).rejects.toMatchObject({ code: 'DATABASE_REPLACES' });
  expect((await move(true)).aside).toMatch(/^moved_replaced_\d+$/);

  const store = openStore({ data, database });
  expect((await store.user(7))?.record).toEqual(record);
  expect(code(() => openStore({ data, database }))).toBe('STORE_BUSY');
  expect(await store.saveUser(change)).toBeUndefined();
  const failing = store.saveUser({ ...change, user: 8, from: 0, ledger: [unsound] });
  const sound = store.saveUser({ ...change, user: 9 });
  await expect(failing).rejects.toThrow();
  await sound;
  expect(await store.countUsers()).toBe(2);
  await store.close();
  const other = mkdtempSync(join(tmpdir(), 'whorl-move-'));
  onTestFinished(() => rmSync(other, { recursive: true, force: true }));
  expect(code(() => openStore({ data: other, database }))).toBe('VAULT_KEY_MISSING');
  expect(checkDatabase(data, database)).toMatchObject({ sound: true });
}, 60_000);
