import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from './open.ts';
import { restore } from './restore.ts';
import type { Store } from './store.ts';
import { change, codeFrom, directory, SECRET, template } from './testing/sealed.ts';

const NAME = 'Ada-with-a-name-to-search-for';

async function filled(data: string): Promise<Store> {
  const store = openStore({ data });
  await store.saveUsers([change(1, 0, NAME), change(2, 0, 'Bo')]);
  await store.saveTerminal({ name: 'door', serial: 'S', position: { epoch: 3, id: 9 } }, []);
  await store.savePairings(new Map([['S', { terminal: 'door', key: template.subarray(0, 32) }]]), []);
  return store;
}

test('G7 a backup is made while work goes on and holds no template, PIN, photo, name, pairing or data key', async () => {
  const [data, out] = [directory(), directory()];
  const store = await filled(data);
  const file = join(out, 'site.whorl');
  const making = store.backups.make(file);
  for (let id = 10; id < 60; id += 1) await store.saveUser(change(id, 0, `User ${id}`));
  expect(await making).toMatchObject({ file });
  expect(readdirSync(out).sort()).toEqual([
    'site.whorl',
    expect.stringMatching(/^whorl-[0-9a-f]{16}\.keys$/),
  ]);
  for (const name of readdirSync(out)) {
    const bytes = readFileSync(join(out, name));
    for (const secret of [SECRET.slice(0, 12), NAME]) expect(bytes.includes(secret)).toBe(false);
    if (process.platform !== 'win32') expect(statSync(join(out, name)).mode & 0o077).toBe(0);
  }
  expect(readdirSync(data).filter((name) => name.startsWith('backup-'))).toEqual([]);
  expect(await codeFrom(() => store.backups.make(file))).toBe('BACKUP_EXISTS');
  await store.close();
});

test('S10 B5 a terminal that went back to an older state before a backup is still trusted with less after it', async () => {
  const [data, out] = [directory(), directory()];
  const store = await filled(data);
  const position = { epoch: 1, id: 9 };
  await store.saveTerminal({ name: 'door', serial: 'S', position, doubt: 'backwards' }, []);
  const file = join(out, 'site.whorl');
  await store.backups.make(file);
  await store.close();
  await restore({ data, file, now: 7, replace: true });
  const again = openStore({ data });
  expect(await again.terminals()).toMatchObject([{ name: 'door', doubt: 'backwards' }]);
  await again.close();
});

test('S10 a restored backup has its users, doubts every terminal, and keeps what it replaced aside', async () => {
  const [data, out] = [directory(), directory()];
  const store = await filled(data);
  const file = join(out, 'site.whorl');
  await store.backups.make(file);
  await store.saveUser(change(3, 0, 'later'));
  expect(await codeFrom(() => restore({ data, file, now: 7, replace: true }))).toBe('GATEWAY_RUNNING');
  await store.close();
  expect(await codeFrom(() => restore({ data, file, now: 7, replace: false }))).toBe('BACKUP_REPLACES');
  const report = await restore({ data, file, now: 7, replace: true });
  expect(report).toMatchObject({ users: 2, erased: 0, terminals: 1 });
  expect(existsSync(report.aside ?? '')).toBe(true);
  const again = openStore({ data });
  expect(await again.users({ limit: 9 })).toMatchObject([{ id: 1, name: NAME }, { id: 2 }]);
  expect((await again.user(1))?.record).toEqual(change(1, 0, NAME).next?.record);
  expect(await again.terminals()).toMatchObject([{ name: 'door', doubt: 'restored', position: { id: 9 } }]);
  expect((await again.pairings()).get('S')?.terminal).toBe('door');
  expect(await again.events({ limit: 9 })).toMatchObject([{ type: 'gateway.restored' }]);
  await again.close();
});

test('S10 on a new machine a backup needs its keys and the master key, and is refused without leaving anything', async () => {
  const [data, out, other] = [directory(), directory(), directory()];
  const store = await filled(data);
  const file = join(out, 'site.whorl');
  await store.backups.make(file);
  await store.close();
  const attempt = (): Promise<string | undefined> =>
    codeFrom(() => restore({ data: other, file, now: 7, replace: false }));
  expect(await attempt()).toBe('VAULT_KEY_MISSING');
  copyFileSync(join(data, 'master.key'), join(other, 'master.key'));
  chmodSync(join(other, 'master.key'), 0o600);
  const keys = readdirSync(out).find((name) => name.endsWith('.keys')) ?? '';
  const held = readFileSync(join(out, keys));
  rmSync(join(out, keys));
  expect(await attempt()).toBe('BACKUP_KEYS');
  expect(readdirSync(other)).toEqual(['master.key']);
  writeFileSync(join(out, keys), held);
  expect(await attempt()).toBeUndefined();
  const again = openStore({ data: other });
  expect(await again.countUsers()).toBe(2);
  await again.close();
});

test('B17 a user who was erased cannot be read from an older backup, and restoring it leaves them out', async () => {
  const [data, out] = [directory(), directory()];
  const store = await filled(data);
  const file = join(out, 'site.whorl');
  await store.backups.make(file);
  const absent = {
    user: 1,
    terminal: 'door',
    want: 'absent',
    state: 'pending',
    version: 2,
    attempts: 0,
  } as const;
  const erased = await store.backups.erase(1, [absent], 6, 'ada');
  expect(erased).toMatchObject({ keys: [expect.stringMatching(/^[0-9a-f]{32}$/)], unreached: [] });
  for (const directory of [data, out])
    for (const name of readdirSync(directory).filter((one) => !one.endsWith('.whorl')))
      expect(readFileSync(join(directory, name)).includes(NAME)).toBe(false);
  const kept = readFileSync(join(out, readdirSync(out).find((name) => name.endsWith('.keys')) ?? ''), 'utf8');
  expect(kept.includes(erased.keys[0] ?? '?')).toBe(false);
  await store.close();
  expect(await restore({ data, file, now: 7, replace: true })).toMatchObject({ users: 1, erased: 1 });
  const again = openStore({ data });
  expect(await again.users({ limit: 9 })).toMatchObject([{ id: 2 }]);
  expect(await again.ledgerOf([1])).toMatchObject([{ terminal: 'door', want: 'absent' }]);
  await again.close();
});

test('B17 nothing of somebody erased is taken from a terminal that still has to lose them', async () => {
  const store = await filled(directory());
  const absent = {
    user: 1,
    terminal: 'door',
    want: 'absent',
    state: 'pending',
    version: 2,
    attempts: 0,
  } as const;
  await store.backups.erase(1, [absent], 6, 'ada');
  await store.requestPull({ user: 1, terminal: 'door', log: 0, attempts: 0, nextTry: 0 });
  expect(await store.openPulls(9)).toEqual([]);
  await store.saveUser({ ...change(1, 0, NAME), pull: { terminal: 'door', log: 0 } });
  expect(await store.user(1)).toBeUndefined();
  expect(await codeFrom(() => store.backups.erase(77, [], 6, 'ada'))).toBe('USER_UNKNOWN');
  await store.close();
});

test('G7 a stolen database file gives names, ids and times, and no biometric data without the master key', async () => {
  const [data, stolen] = [directory(), directory()];
  const store = await filled(data);
  await store.close();
  copyFileSync(join(data, 'whorl.db'), join(stolen, 'whorl.db'));
  expect(readFileSync(join(stolen, 'whorl.db')).includes(SECRET.slice(0, 12))).toBe(false);
  expect(readFileSync(join(stolen, 'whorl.db')).includes(NAME)).toBe(true);
  expect(() => openStore({ data: stolen })).toThrow('master.key');
  writeFileSync(join(stolen, 'master.key'), Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 });
  expect(() => openStore({ data: stolen })).toThrow('master.key');
});

test('B17 keys that could not be destroyed beside a backup are destroyed when the gateway starts again', async () => {
  const [data, out] = [directory(), directory()];
  const store = await filled(data);
  await store.backups.make(join(out, 'site.whorl'));
  const keys = join(out, readdirSync(out).find((name) => name.endsWith('.keys')) ?? '');
  mkdirSync(`${keys}.new`);
  const erased = await store.backups.erase(1, [], 6, 'ada');
  expect(erased.unreached).toEqual([out]);
  await store.close();
  rmSync(`${keys}.new`, { recursive: true });
  mkdirSync(join(data, 'backup-abc123'));
  await openStore({ data }).close();
  expect(readFileSync(keys, 'utf8').includes(erased.keys[0] ?? '?')).toBe(false);
  expect(existsSync(join(data, 'backup-abc123'))).toBe(false);
});
