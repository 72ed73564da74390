import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { machine } from '../ground.ts';
import { openStore } from '../open.ts';
import { NO_POSTGRES, postgresPrograms, startPostgres } from '../testing/postgres.ts';
import type { PostgresServer } from '../testing/postgres.ts';
import { PostgresConnection } from './connection.ts';
import { serverSettings } from './settings.ts';

const programs = postgresPrograms();
let server: PostgresServer | undefined;

beforeAll(async () => {
  if (programs !== undefined) server = await startPostgres(programs);
}, 60_000);
afterAll(() => server?.stop());

test('S12 while everything is copied reads and writes go on, and the copy is of the moment when it began', async (context) => {
  const { url, passwordFile } = server ?? context.skip(NO_POSTGRES);
  const data = mkdtempSync(join(tmpdir(), 'whorl-copying-'));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const database = { url, passwordFile, schema: 'copying', member: 'a' };
  const store = openStore({ data, database });
  onTestFinished(() => store.close());
  const raw = new PostgresConnection({ ...serverSettings(database), member: 'filler' });
  raw.exec(`INSERT INTO events (time, type, data) SELECT n, 'x', '{}' FROM generate_series(1, 60000) n`);
  raw.close();
  const file = join(data, 'copy.db');
  let writes = 0;
  const over = new AbortController();
  const copying = store.backups.copy(file).finally(() => over.abort());
  for (; !over.signal.aborted; writes += 1)
    await store.addEvents([{ type: 'gateway.stopped', time: 1, data: {} }]);
  await copying;
  // Where the store's own thread makes the copy, it has done one or two when that is over.
  expect(writes).toBeGreaterThan(20);
  const copy = machine.connect(file);
  onTestFinished(() => copy.close());
  const rows = copy.prepare('SELECT type FROM events').all();
  expect(rows.length).toBeGreaterThanOrEqual(60_000);
  expect(rows.length).toBeLessThan(60_000 + writes);
  expect(await store.countUsers()).toBe(0);
}, 60_000);
