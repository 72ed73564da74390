import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { encodeUser, readRecord } from '@whorl/protocol';
import { DECIDED_DAYS, MOST_DECIDED } from './conflict-kinds.ts';
import { openStore } from './open.ts';
import type { Intake, Store, UserChange } from './store.ts';
import { change as sealed, codeFrom, directory, SECRET, template } from './testing/sealed.ts';

/** One that a terminal is to hold. */
function change(user: number, from: number, name: string): UserChange {
  const row = { user, terminal: 'door', want: 'present', state: 'pending', attempts: 0, nextTry: 5 } as const;
  return { ...sealed(user, from, name), ledger: [{ ...row, version: from + 1 }] };
}

const intake: Intake = {
  terminal: 'door',
  serial: 'S',
  position: { epoch: 1, id: 2 },
  events: [
    {
      type: 'user.enrol.succeeded',
      time: 1,
      terminal: 'door',
      user: 7,
      origin: 'terminal',
      data: { log: 2, at: 1 },
      source: 'S/1/2',
    },
  ],
  pulls: [{ user: 7, log: 2 }],
  ledger: [],
  time: 1,
};

test('G7 no template and no PIN is in clear in any file of the store', async () => {
  const data = directory();
  const store = openStore({ data });
  await store.saveUser(change(7, 0, 'Ada'));
  const search = (): string[] =>
    readdirSync(data).filter((file) => readFileSync(join(data, file)).includes(SECRET.slice(0, 12)));
  expect(search()).toEqual([]);
  expect((await store.user(7))?.record.fields.get(0x40)?.includes(template[0] ?? 0)).toBe(true);
  await store.close();
  expect(search()).toEqual([]);
});

test('what was saved is there after closing, and a second gateway is refused meanwhile', async () => {
  const data = directory();
  const store = openStore({ data });
  await store.saveUser(change(7, 0, 'Ada'));
  expect(await codeFrom(() => openStore({ data }))).toBe('STORE_BUSY');
  await store.close();
  const again = openStore({ data });
  expect(await again.user(7)).toMatchObject({ version: 1 });
  await again.close();
});

test('B2 an intake stored twice has the effect of once', async () => {
  const store = openStore({ data: { memory: true } });
  expect(await store.recordIntake(intake)).toHaveLength(1);
  expect(await store.recordIntake(intake)).toHaveLength(0);
  expect(await store.openPulls(10)).toHaveLength(1);
  expect(await store.events({ limit: 10 })).toHaveLength(1);
});

test('B2 a pull stays open when a newer log came while it was answered', async () => {
  const store = openStore({ data: { memory: true } });
  await store.recordIntake({ ...intake, pulls: [{ user: 7, log: 9 }] });
  await store.saveUser({ ...change(7, 0, 'Ada'), pull: { terminal: 'door', log: 2 } });
  expect(await store.openPulls(10)).toHaveLength(1);
  await store.saveUser({ ...change(7, 1, 'Ada B'), pull: { terminal: 'door', log: 9 } });
  expect(await store.openPulls(10)).toHaveLength(0);
});

test('B5 a pull stays open when the user was deleted at the terminal while it was answered, and opens for nobody else', async () => {
  const store = openStore({ data: { memory: true } });
  await store.recordIntake({ ...intake, pulls: [{ user: 7, log: 2, changed: 1 }] });
  const at = { user: 7, terminal: 'door', want: 'present', version: 0, attempts: 0 } as const;
  const gone = { ...at, state: 'withheld', reason: 'deleted-at-terminal', log: 5 } as const;
  await store.recordIntake({ ...intake, events: [], pulls: [], ledger: [gone, { ...gone, user: 8 }] });
  expect(await store.openPulls(10)).toMatchObject([{ user: 7, log: 5, changed: 1 }]);
  await store.saveUser({ ...change(7, 0, 'Ada'), pull: { terminal: 'door', log: 2 } });
  expect(await store.openPulls(10)).toHaveLength(1);
  await store.recordIntake({ ...intake, events: [], pulls: [], ledger: [{ ...gone, log: 3 }] });
  expect(await store.openPulls(10)).toMatchObject([{ log: 5 }]);
});

test('a change computed from an older version is not saved', async () => {
  const store = openStore({ data: { memory: true } });
  expect(await store.saveUser(change(7, 0, 'Ada'))).toEqual([]);
  expect(await store.saveUser(change(7, 0, 'Eve'))).toBeUndefined();
  expect(await store.countUsers()).toBe(1);
});

test('B10 a result for an older version does not touch the row of the newer one', async () => {
  const store = openStore({ data: { memory: true } });
  await store.saveUser(change(7, 0, 'Ada'));
  await store.markSending('door', await store.dueLedger('door', 10, 10));
  await store.saveUser(change(7, 1, 'Ada B'));
  await store.settleLedger(
    'door',
    [{ user: 7, want: 'present', version: 1, state: 'verified', attempts: 0, checked: 9 }],
    [],
  );
  expect(await store.ledger({ limit: 10 })).toMatchObject([{ state: 'pending', version: 2 }]);
});

test('B10 B11 what a comparison found of an older version does not touch the row of the newer one', async () => {
  const store = openStore({ data: { memory: true } });
  const seen = { user: 7, terminal: 'door', want: 'present', state: 'verified', attempts: 0 } as const;
  const found = (version: number): Promise<unknown> =>
    store.settleComparison({
      ...{ terminal: 'door', pulls: [], endsDoubt: false, events: [], time: 9 },
      ledger: [{ ...seen, version, checked: 9 }],
    });
  await store.saveUser(change(7, 0, 'Ada'));
  await store.saveUser(change(7, 1, 'Ada L.'));
  await found(1);
  expect(await store.ledgerOf([7])).toMatchObject([{ state: 'pending', version: 2 }]);
  await found(2);
  expect(await store.ledgerOf([7])).toMatchObject([{ state: 'verified', version: 2 }]);
  await store.close();
});

test('one failing step of a group commit fails alone', async () => {
  const store: Store = openStore({ data: { memory: true } });
  const good = [store.saveUser(change(1, 0, 'A')), store.saveUser(change(2, 0, 'B'))];
  const bad = store.saveUser({
    ...change(3, 0, 'C'),
    ledger: [{ ...change(3, 0, 'C').ledger[0], user: Number.NaN } as never],
  });
  await expect(bad).rejects.toThrow();
  await Promise.all(good);
  expect(await store.countUsers()).toBe(2);
});

test('a missing or wrong master key is refused, and the database stays as it is', async () => {
  const data = directory();
  const store = openStore({ data });
  await store.saveUser(change(7, 0, 'Ada'));
  await store.close();
  const key = readFileSync(join(data, 'master.key'));
  rmSync(join(data, 'master.key'));
  expect(await codeFrom(() => openStore({ data }))).toBe('VAULT_KEY_MISSING');
  writeFileSync(join(data, 'master.key'), Buffer.alloc(32, 1).toString('base64'), { mode: 0o600 });
  expect(await codeFrom(() => openStore({ data }))).toBe('VAULT_KEY_WRONG');
  writeFileSync(join(data, 'master.key'), key, { mode: 0o600 });
  const again = openStore({ data });
  expect(await again.countUsers()).toBe(1);
  await again.close();
});

test('B4 of conflicts that were decided the newest are kept, and none for longer than their days; open ones stay', async () => {
  const store = openStore({ data: { memory: true } });
  onTestFinished(() => store.close());
  const day = 86_400_000;
  const side = { record: readRecord(encodeUser({ id: 1, name: 'Ada' })), provenance: new Map() };
  const about = {
    user: 1,
    kind: 'name',
    field: 1,
    terminal: 'door',
    reasons: [],
    ours: side,
    theirs: side,
  } as const;
  const open = { ...about, state: 'open', opened: 1 } as const;
  const decide = (id: number, closed: number): NonNullable<UserChange['conflicts']>[number] => ({
    id,
    from: 'open',
    conflict: { ...open, state: 'ours', closed },
  });
  const next = { record: side.record, version: 1, provenance: new Map() };
  const ids = MOST_DECIDED + 3;
  await store.saveUser({
    ...{ user: 1, from: 0, next, ledger: [], events: [], time: 1 },
    conflicts: Array.from({ length: ids }, () => ({ conflict: open })),
  });
  const kept = { user: 1, from: 1, next, ledger: [], events: [], time: 1 };
  await store.saveUser({ ...kept, conflicts: [decide(1, day)] });
  expect(await store.conflict(1)).toMatchObject({ state: 'ours' });
  const now = (2 + DECIDED_DAYS) * day;
  await store.saveUser({ ...kept, conflicts: [decide(2, now)] });
  expect(await store.conflict(1)).toBeUndefined();
  await store.saveUser({
    ...kept,
    conflicts: Array.from({ length: MOST_DECIDED }, (_, index) => decide(index + 3, now)),
  });
  expect([
    await store.conflict(2),
    (await store.conflict(3))?.state,
    (await store.conflict(ids))?.state,
  ]).toEqual([undefined, 'ours', 'open']);
  expect(await store.conflicts({ limit: ids })).toHaveLength(MOST_DECIDED + 1);
});

test('B5 B16 whose number somebody else has from the moment that they are deleted is remembered, and the other one is not', async () => {
  const store = openStore({ data: { memory: true } });
  onTestFinished(() => store.close());
  await store.saveUser(change(7, 0, 'Ada'));
  const [ada, bo] = ['Ada', 'Bo'].map((name) => readRecord(encodeUser({ id: 7, name })));
  if (ada === undefined || bo === undefined) throw new Error('nobody');
  const next = { record: bo, version: 2, provenance: new Map() };
  const both = { user: 7, from: 1, next, deletedBy: 'north', ledger: [], events: [], time: 9 };
  expect(await store.saveUser(both)).toEqual([]);
  expect(await store.user(7)).toMatchObject({ version: 2, record: bo });
  expect(await store.tombstones.whose(ada)).toMatchObject({
    how: 'deleted',
    by: 'north',
    time: 9,
    sure: true,
  });
  expect(await store.tombstones.whose(bo)).toBeUndefined();
  expect(await store.ledgerOf([7]), 'who is there is the one before').toMatchObject([
    { user: 7, state: 'pending' },
  ]);
});
