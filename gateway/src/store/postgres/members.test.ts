import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '@whorl/protocol';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { serverPlace } from '../../settings/database.ts';
import { openStore } from '../open.ts';
import type { SiteRow } from '../sites.ts';
import type { Store } from '../store.ts';
import { NO_POSTGRES, postgresPrograms, startPostgres } from '../testing/postgres.ts';
import type { PostgresServer } from '../testing/postgres.ts';
import { rotateAll } from '../testing/rotate.ts';
import { Client } from './client.ts';

/** A machine may have much else to do. */
const PATIENCE = { timeout: 10_000 };

// Each connection is a thread that begins.
vi.setConfig({ testTimeout: 60_000 });
const programs = postgresPrograms();
let server: PostgresServer | undefined;
let schemas = 0;

beforeAll(async () => {
  if (programs !== undefined) server = await startPostgres(programs);
}, 60_000);
afterAll(() => server?.stop());

const north: SiteRow = {
  ...{ syncId: 2, name: 'north', url: '', user: 'north', verifier: new Uint8Array([1, 2]) },
};

interface Shared {
  readonly open: (member: string) => Store;
  /** Gives one the master key of another. */
  readonly keys: (from: string, to: string) => void;
  /** As the server does when it notices that a process is gone. */
  readonly cut: (member: string) => void;
}

function shared(context: { skip(note: string): never }): Shared {
  const { url, password, passwordFile } = server ?? context.skip(NO_POSTGRES);
  schemas += 1;
  const schema = `members${schemas}`;
  const home = mkdtempSync(join(tmpdir(), 'whorl-members-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const place = serverPlace(url);
  if (place === undefined) throw new Error(url);
  const eye = new Client({ ...place, password, schema: 'other' });
  onTestFinished(() => eye.end());
  let first: string | undefined;
  return {
    open: (member) => {
      const data = join(home, member);
      if (first !== undefined && !existsSync(data)) cpSync(join(home, first), data, { recursive: true });
      first ??= member;
      const store = openStore({ data, database: { url, passwordFile, schema, member } });
      onTestFinished(() => store.close());
      return store;
    },
    keys: (from, to) => {
      cpSync(join(home, from, 'master.key'), join(home, to, 'master.key'));
    },
    cut: (member) => {
      const one = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1`;
      expect(eye.ask({ sql: one, values: [`whorl ${member}`] }).rows).toHaveLength(1);
    },
  };
}

async function code(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
  } catch (error) {
    return codeOf(error);
  }
  return undefined;
}

test('S12 one process has the house; when its connection ends another takes it, and the first can do nothing any more', async (context) => {
  const { open, cut } = shared(context);
  const [a, b] = [open('a'), open('b')];
  expect(await b.members.membership()).toMatchObject({ name: 'b', house: 'a', members: ['a', 'b'] });
  expect(await b.members.takeHouse()).toBe(false);
  cut('a');
  expect(await b.members.takeHouse()).toBe(true);
  expect((await b.members.membership())?.house).toBe('b');
  await expect(code(() => a.saveNote('late', 'yes'))).resolves.toMatch(/^STORE_(UNREACHABLE|BUSY)$/);
  expect(await code(() => a.saveNote('late', 'yes'))).toBe('STORE_BUSY');
  expect(await b.note('late')).toBeUndefined();
});

test('S12 what a process writes about a satellite that another one speaks with by now is refused', async (context) => {
  const { open, cut } = shared(context);
  const [a, b] = [open('a'), open('b')];
  const mark = (store: Store, seq: number) =>
    code(() => store.sites.mark([{ kind: 'cursor', peer: 2, stream: 'users', cursor: { run: 'r', seq } }]));
  expect([await b.members.takeSite(2), await a.members.takeSite(2)]).toEqual([true, false]);
  expect((await a.members.membership())?.sites).toEqual(new Map([[2, 'b']]));
  expect([await mark(b, 1), await mark(a, 9)]).toEqual([undefined, 'SITES_LINK']);
  cut('b');
  expect(await a.members.takeSite(2)).toBe(true);
  expect(await mark(a, 2)).toBeUndefined();
  await vi.waitFor(async () => expect(await mark(b, 9)).toBe('SITES_LINK'), PATIENCE);
  expect(await a.sites.cursor(2, 'users')).toEqual({ run: 'r', seq: 2 });
  await a.members.leaveSite(2);
  expect(await b.members.takeSite(2)).toBe(true);
});

test('S12 a change of a site that was made from another state of it than the present one is not stored', async (context) => {
  const { open } = shared(context);
  const [a, b] = [open('a'), open('b')];
  expect(await a.sites.saveSite(north)).toBe(true);
  expect(await b.sites.saveSite(north)).toBe(false);
  const moved = { ...north, url: 'https://north.example' };
  expect(await b.sites.saveSite(moved, north)).toBe(true);
  expect(await a.sites.saveSite({ ...north, groups: [1] }, north)).toBe(false);
  expect(await a.sites.sites()).toEqual([moved]);
});

test('S12 processes are told of what the others write, and of nothing else; ids are in the order of commits', async (context) => {
  const { open } = shared(context);
  const [a, b] = [open('a'), open('b')];
  const told = { a: 0, b: 0 };
  a.members.watch(() => (told.a += 1));
  b.members.watch(() => (told.b += 1));
  const event = { type: 'gateway.stopped', time: 1, data: {} } as const;
  const stored = [...(await a.addEvents([event])), ...(await a.addEvents([event]))];
  await vi.waitFor(() => expect(told.b).toBeGreaterThan(0), PATIENCE);
  stored.push(...(await b.addEvents([event])));
  await vi.waitFor(() => expect(told.a).toBeGreaterThan(0), PATIENCE);
  expect(stored.map(({ id }) => id)).toEqual((await a.events({ limit: 10 })).map(({ id }) => id));
});

test('S12 no two processes have one name, and none changes the master key while others are at work', async (context) => {
  const { open, keys } = shared(context);
  const a = open('a');
  expect(await code(() => open('a'))).toBe('STORE_BUSY');
  const b = open('b');
  await b.access.saveAccount(
    { name: 'ada', role: 'admin', created: 1, changed: 1, password: '$argon2id$x' },
    { revoke: false },
  );
  expect(await code(() => a.vault.begin(1))).toBe('VAULT_SHARED');
  expect(await a.vault.status()).toMatchObject({ master: { number: 1 } });
  await b.close();
  await vi.waitFor(async () => expect((await a.members.membership())?.members).toEqual(['a']), PATIENCE);
  await rotateAll(a.vault);
  expect(await code(() => open('b')), 'with the key of before').toBe('VAULT_KEY_WRONG');
  keys('a', 'b');
  expect((await open('b').access.account('ada'))?.password).toBe('$argon2id$x');
});
