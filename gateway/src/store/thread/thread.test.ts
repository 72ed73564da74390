import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { codeOf, FIELDS } from '@whorl/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { silentLog } from '../../settings/log.ts';
import { openStore } from '../open.ts';
import type { Store, UserChange } from '../store.ts';
import { openStoreThread } from './open.ts';
import type { ThreadOptions } from './open.ts';
import { openServiceStore } from './service.ts';

// Threads take the code that this process keeps compiled: each would compile all of it again.
enableCompileCache({ directory: fileURLToPath(new URL('../../../.cache', import.meta.url)), portable: true });
vi.setConfig({ testTimeout: 60_000 });

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'whorl-thread-'));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true, maxRetries: 3 });
  });
  return made;
}

async function opened(options: Partial<ThreadOptions> & { readonly data?: string } = {}): Promise<Store> {
  const store = await openStoreThread({ data: directory(), ...options });
  onTestFinished(() => store.close());
  return store;
}

/** A module whose ground is this machine's, changed. */
function groundOf(change: string): string {
  const path = join(directory(), 'ground.mjs');
  const here = new URL('../ground.ts', import.meta.url).href;
  writeFileSync(
    path,
    `import { machineInRealTime } from ${JSON.stringify(here)};\nlet ground = machineInRealTime;\n${change}\nexport { ground };\n`,
  );
  return pathToFileURL(path).href;
}

/** Calls `told` before each commit. */
const BEFORE_COMMIT = (told: string): string => `
  ground = { ...ground, connect: (path) => {
    const db = machineInRealTime.connect(path);
    const prepare = db.prepare.bind(db);
    db.prepare = (sql) => {
      const statement = prepare(sql);
      if (sql !== 'COMMIT') return statement;
      return { run: () => { ${told}; return statement.run(); } };
    };
    return db;
  } };
`;

function added(user: number, from = 0): UserChange {
  const name = new TextEncoder().encode(`User ${user}`);
  const by = { origin: 'terminal', terminal: 'door', time: 5, log: 7 } as const;
  return {
    ...{ user, from, ledger: [], time: 9 },
    next: {
      record: { id: user, fields: new Map([[FIELDS.name.number, name]]) },
      version: from + 1,
      provenance: new Map([[FIELDS.name.number, by]]),
      former: new Map([[FIELDS.name.number, [{ digest: new Uint8Array(16).fill(3), from: 1, until: 2 }]]]),
    },
    events: [
      { type: 'user.added', time: 9, user, origin: 'gateway', data: { version: 1, fields: ['name'] } },
    ],
  };
}

test('what goes through the thread is what a store in this thread has', async () => {
  const data = directory();
  const store = await opened({ data });
  const [event] = (await store.saveUser(added(7))) ?? [];
  expect(event).toMatchObject({ id: 1, type: 'user.added', user: 7 });
  expect(await store.saveUser(added(7))).toBeUndefined();
  expect(await store.user(8)).toBeUndefined();
  const held = await store.user(7);
  await store.savePairings(new Map([['S', { key: new Uint8Array(32).fill(4), terminal: 'door' }]]), []);
  const pairings = await store.pairings();
  await store.partials.put('door', new Uint8Array([1, 2, 3]));
  await store.close();
  const here = openStore({ data });
  expect(await here.user(7)).toEqual(held);
  expect(held?.record.fields).toEqual(added(7).next?.record.fields);
  expect(await here.pairings()).toEqual(pairings);
  expect(Array.from((await here.partials.get('door')) ?? [])).toEqual([1, 2, 3]);
  await here.close();
});

test('an error crosses with its code, and tells where it was thrown', async () => {
  const data = directory();
  const store = await opened({ data });
  const refused = await store.backups.erase(99, [], 1).catch((error: unknown) => error);
  expect(codeOf(refused)).toBe('USER_UNKNOWN');
  expect(refused).toMatchObject({ message: 'nothing is held of user 99' });
  expect((refused as Error).cause).toMatchObject({ stack: expect.stringContaining('backups.ts') as string });
  await expect(openStoreThread({ data })).rejects.toMatchObject({ code: 'STORE_BUSY' });
});

test('writes that wait when it is closed are on the disk; afterwards it says that it is closed', async () => {
  const data = directory();
  const store = await opened({ data });
  const saved = Array.from({ length: 100 }, (_, i) => store.saveUser(added(i + 1)));
  await store.close();
  expect((await Promise.all(saved)).every((events) => events?.length === 1)).toBe(true);
  await expect(store.countUsers()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  await store.close();
  const here = openStore({ data });
  expect(await here.countUsers()).toBe(100);
  await here.close();
});

test('B7 a write that fails is told to whoever watches before whoever asked, and the others are not harmed', async () => {
  const full = `if (globalThis.full) { const e = new Error('disk is full'); e.errcode = 13; throw e; }`;
  const ground = groundOf(`${BEFORE_COMMIT(full)}\nglobalThis.full = true;`);
  const store = await opened({ ground });
  const told: unknown[] = [];
  store.spill.watch((error) => told.push(codeOf(error)));
  const failed = await store.saveNote('a', 'b').catch((error: unknown) => {
    told.push('asked');
    return error;
  });
  expect(codeOf(failed)).toBe('STORE_FULL');
  expect(told).toEqual(['STORE_FULL', 'asked']);
  const kept = { type: 'line.closed', time: 1, line: 'lab', data: { reason: 'gone' } } as const;
  expect(await store.spill.keep([kept])).toBe(0);
  expect(await store.spill.waiting()).toMatchObject([kept]);
});

test('a thread that ends by itself rejects all that waits, and tells it once', async () => {
  const ground = groundOf(BEFORE_COMMIT(`setImmediate(() => { throw new Error('out of order'); })`));
  const ends: string[] = [];
  const store = await opened({ ground, ended: (error) => ends.push(error.message) });
  await store.saveNote('a', 'b');
  await expect.poll(() => ends).toEqual(['the thread that works on it: out of order']);
  await expect(store.note('a')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  await store.close();
});

test('B7 a gateway whose store has ended ends itself, says why, and its next start has all that was acknowledged', async () => {
  const data = directory();
  const ground = groundOf(BEFORE_COMMIT(`setImmediate(() => { throw new Error('out of order'); })`));
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never);
  onTestFinished(() => {
    exit.mockRestore();
  });
  const said: string[] = [];
  const log = { ...silentLog, error: (_data: object, text: string) => void said.push(text) };
  const store = await openServiceStore({ data, ground }, log);
  await store.saveNote('a', 'b');
  await expect.poll(() => exit.mock.calls).toEqual([[1]]);
  expect(said).toEqual(['the gateway ends: STORE_CLOSED: the thread that works on it: out of order']);
  const next = openStore({ data });
  expect(await next.note('a')).toBe('b');
  await next.close();
});

test('what cannot be sent to the thread is refused alone', async () => {
  const store = await opened();
  const good = store.saveNote('good', 'yes');
  const odd: unknown = { toString: () => 'odd', inner: () => 1 };
  const bad = store.saveNote('bad', odd as string);
  await expect(bad).rejects.toThrow(/could not be cloned/);
  await good;
  expect(await store.note('good')).toBe('yes');
});
