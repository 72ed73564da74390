import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { encodeUser, readRecord } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { openStore } from './open.ts';
import { restore } from './restore.ts';
import type { ConflictSide, Store } from './store.ts';
import { rawDatabase } from './testing/place.ts';
import { change, directory, filled, template, whole } from './testing/sealed.ts';

const USERS = 120;
const everybody = Array.from({ length: USERS }, (_, index) => index + 1);

/** Ids of data keys of people, and of those that seal something; while nobody has the database open. */
function keysOf(data: string): { readonly all: string[]; readonly inUse: string[] } {
  const db = rawDatabase(data);
  try {
    const ids = (sql: string): string[] =>
      db
        .prepare(sql)
        .all()
        .map(({ id }) => String(id));
    return {
      all: ids('SELECT hex(id) AS id FROM keys WHERE user > 0 ORDER BY id'),
      inUse: ids(
        'SELECT hex(key) AS id FROM records UNION ALL SELECT hex(key) AS id FROM conflicts ORDER BY id',
      ),
    };
  } finally {
    db.close();
  }
}

async function renewAll(store: Store): Promise<readonly string[]> {
  await store.vault.beginRenewal();
  for (;;) {
    const { renewing } = await store.vault.status();
    const { count, events } = await store.vault.renew(renewing?.done ?? 0, 9);
    if (count === 0) return events.map(({ type }) => type);
  }
}

async function heldApart(store: Store): Promise<void> {
  const side: ConflictSide = {
    record: readRecord(encodeUser({ id: 7, pin: template.subarray(0, 16) })),
    provenance: new Map(),
  };
  const about = { user: 7, kind: 'two-people', terminal: 'door', state: 'open', opened: 3 } as const;
  const conflict = { ...about, reasons: [], ours: side, theirs: side };
  await store.saveUser({ ...change(7), conflicts: [{ conflict }] });
}

test('G7 everybody is sealed anew under a key of their own, and the keys of before are gone', async () => {
  const data = directory();
  await (await filled(data, { users: USERS })).close();
  const before = keysOf(data);
  const store = openStore({ data });
  expect(await store.vault.status()).not.toHaveProperty('renewing');
  await store.vault.beginRenewal();
  await store.vault.renew(0, 9);
  const once = await store.vault.status();
  // Asked for again, it is done already.
  await store.vault.renew(0, 9);
  expect(await store.vault.status()).toEqual(once);
  const { renewing } = once;
  expect((renewing?.done ?? 0) + (renewing?.left ?? 0)).toBe(USERS);
  await store.saveUsers([change(1000)]);
  expect(await renewAll(store)).toEqual(['vault.keys.renewed']);
  expect(await store.vault.status()).not.toHaveProperty('renewing');
  await whole(store, [...everybody, 1000]);
  await store.close();
  const after = keysOf(data);
  expect(after.inUse).toEqual(after.all);
  expect(after.all.filter((id) => before.all.includes(id))).toEqual([]);
});

test('G7 a process that is killed amid it loses nothing, and the next one goes on where it was', async () => {
  const data = directory();
  await (await filled(data, { users: USERS })).close();
  const before = keysOf(data);
  let done = 0;
  for (let killedAfter = 2; killedAfter <= 3; killedAfter += 1) {
    const child = spawn(process.execPath, [
      fileURLToPath(new URL('testing/renew-alone.ts', import.meta.url)),
      data,
    ]);
    let steps = 0;
    createInterface(child.stdout).on('line', () => {
      if ((steps += 1) === killedAfter) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.once('close', resolve));
    const store = openStore({ data });
    const { renewing } = await store.vault.status();
    // None is done twice, and none is left out: who has a new key is as far as it says.
    expect(renewing?.done ?? USERS).toBeGreaterThan(done);
    done = renewing?.done ?? USERS;
    await whole(store, everybody);
    await store.close();
    expect(keysOf(data).all.filter((id) => before.all.includes(id))).toHaveLength(USERS - done);
  }
  const store = openStore({ data });
  await renewAll(store);
  await whole(store, everybody);
  await store.close();
  expect(keysOf(data).all.filter((id) => before.all.includes(id))).toEqual([]);
}, 60_000);

test('G7 B17 backups of before stay readable, and who is erased is gone from them all the same', async () => {
  const [data, out] = [directory(), directory()];
  const store = await filled(data, { users: 3 });
  await store.backups.make(join(out, 'before.whorl'));
  await renewAll(store);
  await store.backups.make(join(out, 'after.whorl'));
  const erased = await store.backups.erase(2, [], 10);
  expect(erased.keys).toHaveLength(2);
  const [keys = ''] = readdirSync(out).filter((name) => name.endsWith('.keys'));
  for (const key of erased.keys) expect(readFileSync(join(out, keys), 'utf8')).not.toContain(key);
  await store.close();
  for (const file of ['before.whorl', 'after.whorl']) {
    await restore({ data, file: join(out, file), now: 11, replace: true });
    const again = openStore({ data });
    await whole(again, [1, 3]);
    expect(await again.user(2)).toBeUndefined();
    await again.close();
  }
});

test('G7 people who are held apart are sealed anew too', async () => {
  const data = directory();
  const first = await filled(data, { users: 2 });
  await heldApart(first);
  await first.close();
  const before = keysOf(data);
  const store = openStore({ data });
  await renewAll(store);
  const [open] = await store.conflicts({ limit: 10 });
  expect((await store.conflict(open?.id ?? 0))?.theirs.record.fields.size).toBe(1);
  await store.close();
  const after = keysOf(data);
  expect(after.inUse).toHaveLength(4);
  expect(after.all.filter((id) => before.all.includes(id))).toEqual([]);
});
