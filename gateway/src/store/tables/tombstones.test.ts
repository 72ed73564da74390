import { encodeUser, readRecord } from '@whorl/protocol';
import type { User } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { GATEWAY, Keys, KeyTable } from '../keys.ts';
import { migrate } from '../migrations.ts';
import { pooledRandom } from '../random.ts';
import { Sqlite } from '../sqlite.ts';
import type { StoredUser } from '../store.ts';
import { MOST_TOMBSTONES, TOMBSTONE_DAYS } from '../tombstones.ts';
import { KEY_BYTES, Vault } from '../vault.ts';
import { bury, TombstoneTable, unbury } from './tombstones.ts';

const KEPT_MS = TOMBSTONE_DAYS * 86_400_000;

function start() {
  const db = new Sqlite(':memory:', (raw) => migrate(raw));
  onTestFinished(() => db.close());
  const random = pooledRandom();
  const keys = new Keys(new KeyTable(db), new Map([[1, new Vault(random(KEY_BYTES), random)]]), random);
  keys.newKey(GATEWAY);
  const table = new TombstoneTable(db, keys);
  const held = (user: User): StoredUser => ({
    version: 1,
    record: readRecord(encodeUser(user)),
    provenance: new Map(),
    former: new Map(),
  });
  const remember = (user: User, time: number, how: 'deleted' | 'erased' = 'deleted'): void => {
    bury(db, keys, { user: user.id, time, by: 'ada', how }, held(user));
  };
  const count = (): number => Number(db.get('SELECT count(*) AS n FROM tombstones')?.['n']);
  return { db, keys, table, remember, count, record: (user: User) => held(user).record };
}

const ada: User = { id: 7, name: 'Ada', 'card.0': { format: 1, number: Uint8Array.of(1, 2, 3, 4) } };
const grace: User = { id: 7, name: 'Grace' };

test('B5 who was deleted is remembered for so many days, to the millisecond', async () => {
  const { table, remember } = start();
  remember(ada, 1_000);
  remember({ id: 8 }, 1_000 + KEPT_MS);
  expect([...(await table.of([7, 8])).keys()]).toEqual([7, 8]);
  remember({ id: 9 }, 1_001 + KEPT_MS);
  expect([...(await table.of([7, 8, 9])).keys()]).toEqual([8, 9]);
});

test('B5 of very many who were deleted, the newest are remembered', async () => {
  const { db, table, remember, count } = start();
  db.run(
    `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
     INSERT INTO tombstones (user, time, deleted_by, how, marks) SELECT 100 + n, 1, 'ada', 'deleted', x'' FROM n`,
    MOST_TOMBSTONES,
  );
  expect(count()).toBe(MOST_TOMBSTONES);
  remember(ada, 2);
  expect(count()).toBe(MOST_TOMBSTONES);
  expect([...(await table.of([101, 102, 7])).keys()].sort((a, b) => a - b)).toEqual([7, 102]);
});

test('B5 somebody else who had the number is told apart, and each is remembered until they come back', async () => {
  const { db, keys, table, remember, count, record } = start();
  remember(ada, 1);
  remember(grace, 2);
  expect(await table.whose(record({ id: 7, 'card.0': ada['card.0'] }))).toMatchObject({
    time: 1,
    sure: true,
  });
  expect(await table.whose(record(grace))).toMatchObject({ time: 2 });
  expect(await table.whose(record({ id: 7, name: 'Joan' }))).toBeUndefined();
  expect(await table.whose(record({ id: 8, name: 'Ada' }))).toBeUndefined();
  unbury(db, keys, record(ada));
  expect(count()).toBe(1);
  expect(await table.whose(record(ada))).toBeUndefined();
});

test('B5 B16 who has the number without name and credentials makes nobody forgotten who had it before', async () => {
  const { db, keys, table, remember, count, record } = start();
  remember(ada, 1, 'erased');
  remember({ id: 7 }, 2);
  unbury(db, keys, record({ id: 7, groups: [1] }));
  expect(count()).toBe(1);
  expect(await table.whose(record(ada))).toMatchObject({ how: 'erased', time: 1, sure: true });
});

test('B17 of whom was erased all stays away that is not given anew, whoever has the number under the same name', async () => {
  const { db, keys, table, remember, count, record } = start();
  remember(ada, 1, 'erased');
  unbury(db, keys, record({ id: 7, name: 'Ada' }));
  expect(await table.whose(record({ id: 7, name: 'Ada' }))).toBeUndefined();
  expect(await table.whose(record(ada))).toMatchObject({ how: 'erased', sure: true });
  unbury(db, keys, record(ada));
  expect(count()).toBe(0);
});

test('B17 who is erased after they were deleted is remembered once, and as erased', async () => {
  const { db, keys, table, remember, count, record } = start();
  remember(ada, 1);
  bury(db, keys, { user: 7, time: 2, by: 'ada', how: 'erased' });
  expect(count()).toBe(1);
  expect(await table.whose(record(ada))).toMatchObject({ how: 'erased', sure: true });
});

test('B17 of a person nothing is kept but the number and a few bytes a value that mean nothing without the key', () => {
  const { db, remember } = start();
  remember(ada, 1);
  const row = db.get('SELECT * FROM tombstones');
  expect(row?.['marks']).toHaveLength(2 * 8);
  expect(
    Buffer.from(row?.['marks'] instanceof Uint8Array ? row['marks'] : []).toString('latin1'),
  ).not.toContain('Ada');
});
