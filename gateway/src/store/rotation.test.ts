import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { machine } from './ground.ts';
import type { Ground } from './ground.ts';
import { openStore } from './open.ts';
import { restore } from './restore.ts';
import { rotateAll } from './testing/rotate.ts';
import { change, codeFrom, directory, filled, SECRET, whole } from './testing/sealed.ts';

/** More than two transactions. */
const USERS = 450;

/** This machine, telling before and after each file is renamed or removed. */
function tellingGround(tell: () => void): Ground {
  const telling =
    <Values extends unknown[]>(work: (...values: Values) => void) =>
    (...values: Values): void => {
      tell();
      work(...values);
      tell();
    };
  const { files } = machine;
  const renameSync = telling((from: string, to: string) => files.renameSync(from, to));
  return { ...machine, files: { ...files, renameSync, rmSync: telling((...args) => files.rmSync(...args)) } };
}

const everybody = Array.from({ length: USERS }, (_, index) => index + 1);

test('G7 killed at any step of a change of the master key, the gateway goes on with both keys and finishes', async () => {
  const [data, out] = [directory(), directory()];
  const store = await filled(data, { users: USERS });
  await store.backups.make(join(out, 'before.whorl'));
  const old = readFileSync(join(data, 'master.key'));
  await store.close();
  const moments: string[] = [];
  // What a process that is killed at this moment leaves behind.
  const killed = (): void => {
    const moment = directory();
    cpSync(data, moment, { recursive: true });
    moments.push(moment);
  };
  const watched = openStore({ data, ground: tellingGround(killed) });
  await rotateAll(watched.vault, killed);
  await watched.close();
  expect(moments.length).toBeGreaterThan(10);
  for (const moment of moments) {
    const again = openStore({ data: moment });
    await whole(again, [1, 200, 201, 400, 450]);
    await again.saveUsers([change(1000)]);
    // Nothing was begun yet, or all is over: then this changes it once more.
    const { master, next } = await again.vault.status();
    if (next !== undefined || master.number === 1) await rotateAll(again.vault);
    expect(await again.vault.status()).toMatchObject({ master: { number: 2, keys: USERS + 2 }, former: [] });
    await again.close();
    expect(readdirSync(moment).filter((name) => name.startsWith('master.key'))).toEqual(['master.key']);
    expect(readFileSync(join(moment, 'master.key'))).not.toEqual(old);
    const last = openStore({ data: moment });
    await whole(last, [...everybody, 1000]);
    await last.close();
  }
}, 60_000);

test('G7 a process that is really killed amid it loses nothing, and the next one goes on', async () => {
  const data = directory();
  await (await filled(data, { users: USERS })).close();
  for (let line = 1; line <= 4; line += 1) {
    const child = spawn(process.execPath, [
      fileURLToPath(new URL('testing/rotate-alone.ts', import.meta.url)),
      data,
    ]);
    let lines = 0;
    createInterface(child.stdout).on('line', () => {
      lines += 1;
      if (lines === line) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.once('close', resolve));
    const store = openStore({ data });
    await whole(store, [1, 250, 450]);
    await store.close();
  }
  const store = openStore({ data });
  await rotateAll(store.vault);
  await whole(store, everybody);
  await store.close();
}, 60_000);

test('G7 after the change the old key opens nothing, and no template is in clear anywhere', async () => {
  const [data, out, stolen] = [directory(), directory(), directory()];
  const store = await filled(data, { users: USERS });
  const old = readFileSync(join(data, 'master.key'));
  await store.backups.make(join(out, 'before.whorl'));
  const wrapped = readFileSync(join(out, keysIn(out)), 'utf8');
  await rotateAll(store.vault);
  for (const place of [data, out])
    for (const name of readdirSync(place).filter((one) => statSync(join(place, one)).isFile()))
      for (const piece of [SECRET.slice(0, 12), old.toString().trim()])
        expect(readFileSync(join(place, name)).includes(piece), name).toBe(false);
  // Not one data key stands under the old one, in the write-ahead log neither.
  const before = (JSON.parse(wrapped) as { keys: [string, number, number, string][] }).keys;
  for (const name of readdirSync(data).filter((one) => one.startsWith('whorl.db'))) {
    const bytes = readFileSync(join(data, name));
    for (const [, , , key] of before) expect(bytes.includes(Buffer.from(key, 'base64')), name).toBe(false);
  }
  await store.close();
  cpSync(data, stolen, { recursive: true });
  writeFileSync(join(stolen, 'master.key'), old, { mode: 0o600 });
  expect(await codeFrom(() => openStore({ data: stolen }))).toBe('VAULT_KEY_WRONG');
  expect(() => openStore({ data: stolen })).toThrow('which was changed for number 2');
  rmSync(join(stolen, 'whorl.db'));
  const attempt = { data: stolen, file: join(out, 'before.whorl'), now: 9, replace: true };
  expect(await codeFrom(() => restore(attempt))).toBe('BACKUP_MASTER');
});

test('B17 somebody who is erased amid a change of the master key stays erased, beside backups too', async () => {
  const [data, out] = [directory(), directory()];
  const store = await filled(data, { users: USERS });
  await store.backups.make(join(out, 'before.whorl'));
  await store.vault.begin(7);
  await store.vault.reseal();
  const status = await store.vault.status();
  const [erased] = await Promise.all([
    Promise.all([1, 225, 450].map((user) => store.backups.erase(user, [], 8))),
    store.vault.reseal(),
  ]);
  expect(status.next?.keys).toBe(200);
  await rotateAll(store.vault);
  expect((await store.vault.status()).master.keys).toBe(USERS + 1 - 3);
  const kept = readFileSync(join(out, keysIn(out)), 'utf8');
  for (const key of erased.flatMap(({ keys }) => keys)) expect(kept).not.toContain(key);
  await store.close();
  await restore({ data, file: join(out, 'before.whorl'), now: 9, replace: true });
  const again = openStore({ data });
  for (const user of [1, 225, 450]) expect(await again.user(user)).toBeUndefined();
  await whole(again, [2, 449]);
  await again.close();
});

test('G7 a backup from before the change is restored with the new key; a copy of it elsewhere with the old one', async () => {
  const [data, out, elsewhere, safe, fresh] = [
    directory(),
    directory(),
    directory(),
    directory(),
    directory(),
  ];
  const store = await filled(data, { users: 3 });
  copyFileSync(join(data, 'master.key'), join(safe, 'master.key'));
  await store.backups.make(join(out, 'site.whorl'));
  cpSync(out, elsewhere, { recursive: true });
  await rotateAll(store.vault);
  await store.close();
  const there = { file: join(out, 'site.whorl'), now: 9, replace: true };
  mkdirSync(fresh, { recursive: true });
  copyFileSync(join(data, 'master.key'), join(fresh, 'master.key'));
  chmodSync(join(fresh, 'master.key'), 0o600);
  expect(await restore({ ...there, data: fresh })).toMatchObject({ users: 3 });
  // On the machine itself the data keys of the database that is there are taken.
  expect(await restore({ ...there, data, file: join(elsewhere, 'site.whorl') })).toMatchObject({ users: 3 });
  const other = { ...there, data: fresh, file: join(elsewhere, 'site.whorl') };
  rmSync(join(fresh, 'whorl.db'));
  expect(await codeFrom(() => restore(other))).toBe('BACKUP_MASTER');
  expect(await restore({ ...other, masterKey: join(safe, 'master.key') })).toMatchObject({ users: 3 });
  const present = readFileSync(join(fresh, 'master.key'));
  const again = openStore({ data: fresh });
  await whole(again, []);
  expect((await again.vault.status()).master.keys).toBe(4);
  await again.close();
  expect(readFileSync(join(fresh, 'master.key')), 'it stays this machine’s').toEqual(present);
  const bare = directory();
  expect(await codeFrom(() => restore({ ...other, data: bare }))).toBe('VAULT_KEY_MISSING');
  await restore({ ...other, data: bare, masterKey: join(safe, 'master.key') });
  await openStore({ data: bare }).close();
  expect(readFileSync(join(bare, 'master.key'))).toEqual(readFileSync(join(safe, 'master.key')));
});

test('G7 what cannot be reached keeps the old key, until it can; a database put aside follows', async () => {
  const [data, out] = [directory(), directory()];
  const first = await filled(data, { users: 3 });
  await first.backups.make(join(out, 'site.whorl'));
  await first.close();
  await restore({ data, file: join(out, 'site.whorl'), now: 9, replace: true });
  const aside = readdirSync(data).find((name) => name.startsWith('whorl.db.replaced')) ?? '';
  const store = openStore({ data });
  const old = readFileSync(join(data, 'master.key'));
  mkdirSync(join(out, `${keysIn(out)}.new`));
  await rotateAll(store.vault);
  expect(await store.vault.status()).toMatchObject({
    former: [join(data, 'master.key.1')],
    unreached: [out],
  });
  expect(readFileSync(join(data, 'master.key.1'))).toEqual(old);
  rmSync(join(out, `${keysIn(out)}.new`), { recursive: true });
  await store.backups.make(join(out, 'again.whorl'));
  expect(await store.vault.status()).toMatchObject({ former: [], unreached: [] });
  await store.close();
  for (const end of ['', '-wal'])
    if (existsSync(join(data, aside) + end))
      copyFileSync(join(data, aside) + end, join(data, 'whorl.db') + end);
  const again = openStore({ data });
  for (const user of [1, 2, 3]) expect((await again.user(user))?.version).toBe(1);
  await again.close();
});

test('G7 a key of the installer’s own is changed for one of theirs, and it is said when the old one can go', async () => {
  const data = directory();
  const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64');
  const first = { WHORL_MASTER_KEY: key(1) };
  const store = await filled(data, { users: 3, environment: first });
  expect(await codeFrom(() => store.vault.begin(1))).toBe('VAULT_NEXT_KEY');
  await store.close();
  const both = { ...first, WHORL_MASTER_KEY_NEXT: key(2) };
  const second = openStore({ data, environment: both });
  const { status } = await rotateAll(second.vault);
  expect(status).toMatchObject({ master: { number: 2, place: 'WHORL_MASTER_KEY_NEXT', toMove: true } });
  expect(await codeFrom(() => second.vault.begin(1)), 'the same one again').toBe('VAULT_NEXT_KEY');
  await second.close();
  expect(await codeFrom(() => openStore({ data, environment: first }))).toBe('VAULT_KEY_WRONG');
  const third = openStore({ data, environment: { WHORL_MASTER_KEY: key(2) } });
  await whole(third, [1, 2, 3]);
  expect((await third.vault.status()).master).toMatchObject({ place: 'WHORL_MASTER_KEY', toMove: false });
  await third.close();
  expect(readdirSync(data).filter((name) => name.startsWith('master.key'))).toEqual([]);
});

test('G7 a key file is changed for a credential; only the file that was in use is removed', async () => {
  const [data, credentials] = [directory(), directory()];
  const store = await filled(data, { users: 3 });
  await store.close();
  writeFileSync(join(credentials, 'whorl-master-key-next'), Buffer.alloc(32, 9).toString('base64'));
  const second = openStore({ data, environment: { CREDENTIALS_DIRECTORY: credentials } });
  await rotateAll(second.vault);
  await whole(second, [1, 2, 3]);
  await second.close();
  expect(readdirSync(data).filter((name) => name.startsWith('master.key'))).toEqual([]);
});

test('G7 a backup that is made amid a change is whole, and opens with the old key and the new', async () => {
  const [data, out, safe] = [directory(), directory(), directory()];
  const store = await filled(data, { users: USERS });
  copyFileSync(join(data, 'master.key'), join(safe, 'master.key'));
  await store.vault.begin(7);
  await store.vault.reseal();
  await Promise.all([store.backups.make(join(out, 'amid.whorl')), rotateAll(store.vault)]);
  await store.close();
  const file = join(out, 'amid.whorl');
  expect(await restore({ data, file, now: 9, replace: true })).toMatchObject({ users: USERS });
});

function keysIn(place: string): string {
  return readdirSync(place).find((name) => name.endsWith('.keys')) ?? '';
}
