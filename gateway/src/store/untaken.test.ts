import { expect, onTestFinished, test } from 'vitest';
import { openStore } from './open.ts';
import type { Intake, LedgerRow, Store } from './store.ts';
import { change } from './testing/sealed.ts';

const DOOR = 'door';

/** A terminal whose log record says that user 7 was enrolled there, while that is not taken. */
async function start(): Promise<Store> {
  const store = openStore({ data: { memory: true } });
  onTestFinished(() => store.close());
  await store.recordIntake(page(2, { untaken: true }));
  return store;
}

function page(log: number, it: Partial<Intake> = {}): Intake {
  const source = `S/1/${log}`;
  const data = { log, at: log };
  const about = { time: log, terminal: DOOR, user: 7, origin: 'terminal', source } as const;
  return {
    ...{ terminal: DOOR, serial: 'S', position: { epoch: 1, id: log }, time: log, ledger: [] },
    events: [{ ...about, type: 'user.enrol.succeeded', data }],
    pulls: [{ user: 7, log, changed: log, source }],
    ...it,
  };
}

const due = async (store: Store): Promise<readonly number[]> =>
  (await store.duePulls(DOOR, 100, 10)).map(({ log }) => log);

test('B1 what is not taken is not open, and holds nothing back that is to be sent there', async () => {
  const store = await start();
  const row = {
    user: 7,
    terminal: DOOR,
    want: 'present',
    state: 'pending',
    version: 1,
    attempts: 0,
  } as const;
  await store.saveUser({ ...change(7, 0, 'Ada'), ledger: [{ ...row, nextTry: 1 }] });
  await store.readmit(DOOR);
  expect(await due(store)).toEqual([]);
  expect(await store.openPulls(10)).toEqual([]);
  expect([...(await store.pullCounts())]).toEqual([]);
  expect((await store.dueLedger(DOOR, 100, 10)).map(({ user }) => user)).toEqual([7]);
});

test('B1 what was not taken is fetched once it is, with the newest log record that tells of it', async () => {
  const store = await start();
  await store.recordIntake(page(3, { untaken: true }));
  await store.releasePulls(50);
  expect(await due(store)).toEqual([3]);
  await store.recordIntake(page(4, { untaken: true }));
  expect(await due(store), 'and stays open').toEqual([4]);
});

test('B1 what was not taken is fetched with the next change that is', async () => {
  const store = await start();
  await store.recordIntake(page(3));
  expect(await due(store)).toEqual([3]);
});

test('B1 a person who asks for what is not taken gets it, and nobody else does', async () => {
  const store = await start();
  const pull = { user: 7, terminal: DOOR, log: 0, attempts: 0, nextTry: 5 };
  await store.requestPull(pull);
  expect(await due(store)).toEqual([]);
  await store.requestPull({ ...pull, take: 'asked' });
  expect(await due(store)).toEqual([2]);
});

test('B1 B5 who is deleted at a terminal before what was enrolled there is taken is not fetched before either', async () => {
  const store = await start();
  const gone: LedgerRow = {
    ...{ user: 7, terminal: DOOR, want: 'present', state: 'withheld', version: 0, attempts: 0 },
    reason: 'deleted-at-terminal',
  };
  const deleted = page(3, { untaken: true, ledger: [{ ...gone, log: 3, source: 'S/1/3' }] });
  await store.recordIntake({ ...deleted, pulls: [] });
  expect(await due(store)).toEqual([]);
  await store.releasePulls(50);
  expect(await due(store)).toEqual([3]);
});
