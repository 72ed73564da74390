import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, systemClock } from '@whorl/protocol';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { startGateway } from '../../gateway.ts';
import { silentLog } from '../../settings/log.ts';
import { NO_POSTGRES, postgresPrograms, startPostgres } from '../testing/postgres.ts';
import type { PostgresServer } from '../testing/postgres.ts';
import { openStoreThread } from '../thread/open.ts';

const programs = postgresPrograms();
let server: PostgresServer | undefined;

beforeAll(async () => {
  if (programs !== undefined) server = await startPostgres(programs);
}, 60_000);
afterAll(() => server?.stop());

test('B7 S12 a server that is away is a full disk: what is not stored is not acknowledged, events wait, and all goes on by itself', async (context) => {
  const { url, passwordFile, kill, start } = server ?? context.skip(NO_POSTGRES);
  const data = mkdtempSync(join(tmpdir(), 'whorl-away-'));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const store = await openStoreThread({ data, database: { url, passwordFile, schema: 'away' } });
  const about = { store, clock: systemClock, random: seededRandom(1), log: silentLog };
  const gateway = await startGateway({ ...about, config: { name: 'hq', lines: [] }, version: '0' });
  onTestFinished(async () => {
    await gateway.stop();
    await store.close();
  });
  const { operations } = gateway;
  const user = (name: string) => ({ set: { name }, clear: [] });
  await operations.addUser(1, user('Ada'));
  await kill();
  await expect(operations.addUser(2, user('Bo'))).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  await gateway.tell({ type: 'line.closed', time: 5, line: 'yard', data: { reason: 'tried here' } });
  await expect.poll(() => store.spill.waiting()).not.toHaveLength(0);
  await start();
  await vi.waitFor(async () => {
    const types = (await store.events({ limit: 100 })).map(({ type }) => type);
    expect(types.filter((type) => type === 'line.closed')).toHaveLength(1);
    expect(types).toContain('db.save.failed');
  }, 60_000);
  expect((await operations.status()).database).toMatchObject({ code: 'STORE_UNREACHABLE' });
  await operations.addUser(2, user('Bo'));
  expect((await store.users({ limit: 10 })).map(({ name }) => name)).toEqual(['Ada', 'Bo']);
}, 120_000);
