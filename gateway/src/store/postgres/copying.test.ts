import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '@whorl/protocol';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { machine } from '../ground.ts';
import { openStore } from '../open.ts';
import { restore } from '../restore.ts';
import { NO_POSTGRES, postgresPrograms, startPostgres } from '../testing/postgres.ts';
import type { PostgresServer } from '../testing/postgres.ts';
import { change, directory } from '../testing/sealed.ts';
import { PostgresConnection } from './connection.ts';
import { moveToServer } from './moving.ts';
import { serverSettings } from './settings.ts';

const programs = postgresPrograms();
let server: PostgresServer | undefined;
const EVENTS = 20_000;
/** Where the store's own thread makes the copy, one or two are done when that is over. */
const WRITES = 20;

beforeAll(async () => {
  if (programs !== undefined) server = await startPostgres(programs);
}, 60_000);
afterAll(() => server?.stop());

test('S12 while everything is copied reads and writes go on, and the copy is whole', async (context) => {
  const { url, passwordFile } = server ?? context.skip(NO_POSTGRES);
  const data = directory();
  const database = { url, passwordFile, schema: 'copying', member: 'a' };
  const store = openStore({ data, database });
  onTestFinished(() => store.close());
  const raw = new PostgresConnection({ ...serverSettings(database), member: 'filler' });
  raw.exec(`INSERT INTO events (time, type, data) SELECT n, 'x', '{}' FROM generate_series(1, ${EVENTS}) n`);
  raw.close();
  const file = join(data, 'copy.db');
  let writes = 0;
  const over = new AbortController();
  const copying = store.backups.copy(file).finally(() => over.abort());
  for (; !over.signal.aborted && writes < WRITES; writes += 1)
    await store.addEvents([{ type: 'gateway.stopped', time: 1, data: {} }]);
  await copying;
  expect(writes).toBe(WRITES);
  const copy = machine.connect(file);
  onTestFinished(() => copy.close());
  const rows = copy.prepare('SELECT type FROM events').all();
  expect(rows.length).toBeGreaterThanOrEqual(EVENTS);
  expect(rows.length).toBeLessThanOrEqual(EVENTS + WRITES);
  expect(await store.countUsers()).toBe(0);
}, 60_000);

test('S10 S12 a backup of a database on a server is restored, and replaces what the server holds', async (context) => {
  const { url, passwordFile } = server ?? context.skip(NO_POSTGRES);
  const home = directory();
  const [data, file] = [join(home, 'data'), join(home, 'site.whorl')];
  const database = { url, passwordFile, schema: 'restored' };
  const store = openStore({ data, database });
  await store.saveUsers([change(1), change(2), change(3)]);
  expect(await store.backups.make(file)).toMatchObject({ users: 3 });
  await store.backups.erase(2, [], 7);
  await store.saveUsers([change(4)]);
  await store.close();
  expect(await restore({ data, file, now: 9, replace: false })).toMatchObject({ users: 2, erased: 1 });
  const move = (replace: boolean) =>
    moveToServer({
      ...{ data, database, replace, clock: systemClock, random: randomBytes },
      ...{ snapshot: () => Promise.resolve(false), told: () => undefined },
    });
  await expect(move(false), 'not without a word').rejects.toMatchObject({ code: 'DATABASE_REPLACES' });
  const { aside } = await move(true);
  expect(aside).toMatch(/^restored_replaced_/);
  const back = openStore({ data, database });
  expect((await back.users({ limit: 9 })).map(({ id }) => id)).toEqual([1, 3]);
  expect((await back.user(3))?.record).toEqual(change(3).next?.record);
  await back.close();
  const kept = openStore({ data, database: { ...database, schema: aside ?? '' } });
  expect((await kept.users({ limit: 9 })).map(({ id }) => id)).toEqual([1, 3, 4]);
  await kept.close();
}, 60_000);
