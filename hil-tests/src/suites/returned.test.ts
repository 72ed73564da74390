import { encodeUser, FIELDS, handWire, readRecord, unstuff } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { ALL, atRest, behaviour, logsRead, verifiedOn } from '../rig/behaviour.ts';
import { Between } from '../rig/between.ts';
import { memoryRig } from '../rig/memory.ts';
import { during } from '../rig/settled.ts';
import type { Rig } from '../rig/rig.ts';

const BEA = { name: 'Bea', 'card.0': { format: 1, number: Uint8Array.of(2, 2, 2, 2) } };
const EVE = { name: 'Eve', 'card.0': { format: 1, number: Uint8Array.of(9, 9, 9, 9) } };

/** Ada and Bea are everywhere. @returns what terminal-5 keeps of that */
async function snapshot(rig: Rig): Promise<Uint8Array> {
  const { operations } = rig.gateway;
  await operations.addUser(1, { set: { name: 'Ada' }, clear: [] });
  await operations.addUser(2, { set: BEA, clear: [] });
  for (const user of [1, 2]) await verifiedOn(rig, user, ALL);
  await atRest(rig);
  await logsRead(rig);
  return rig.flashes.get('terminal-5')?.read() ?? new Uint8Array();
}

async function gone(rig: Rig, user: number): Promise<void> {
  await rig.until(`user ${user} gone everywhere`, () =>
    [...rig.terminals.values()].every((one) => one.power === 'on' && !one.users().has(user)),
  );
  await atRest(rig);
  await logsRead(rig);
}

/** The terminal's flash is put in place of the one that it had, as somebody does who swaps a board. */
async function goesBack(rig: Rig, old: Uint8Array): Promise<void> {
  await logsRead(rig);
  const terminal = rig.terminal('terminal-5');
  const before = (await rig.events()).filter(({ type }) => type === 'terminal.compared').length;
  terminal.powerOff();
  rig.flashes.get('terminal-5')?.replace([old]);
  terminal.powerOn();
  await rig.until(
    'terminal-5 compared',
    async () => (await rig.events()).filter(({ type }) => type === 'terminal.compared').length > before,
  );
  await atRest(rig);
}

const returned = async (rig: Rig): Promise<readonly object[]> =>
  (await rig.events()).flatMap((event) =>
    event.type === 'user.returned' ? [{ user: event.user, terminal: event.terminal, ...event.data }] : [],
  );

behaviour(
  'B5 B11 who was deleted here is removed again from a terminal that went back to an older state, and told: when, by whom',
  async (rig) => {
    const old = await snapshot(rig);
    await rig.gateway.operations.deleteUser(2, 'ada');
    await gone(rig, 2);
    const deleted = (await rig.events()).findLast(({ type }) => type === 'user.removed')?.time;
    await goesBack(rig, old);
    await gone(rig, 2);
    expect(await rig.gateway.store.user(2)).toBeUndefined();
    expect(await returned(rig)).toEqual([
      { user: 2, terminal: 'terminal-5', how: 'deleted', by: 'ada', at: deleted },
    ]);
    await verifiedOn(rig, 1, ALL);
  },
  { on: ['memory', 'tcp'] },
);

behaviour(
  'B17 who was erased is removed again from a terminal that went back to an older state; nothing of them is kept',
  async (rig) => {
    const old = await snapshot(rig);
    await rig.gateway.operations.eraseUser(2, 'ada');
    await gone(rig, 2);
    await goesBack(rig, old);
    await gone(rig, 2);
    const { store } = rig.gateway;
    expect(await store.user(2)).toBeUndefined();
    expect(await store.conflictsOf(2)).toEqual([]);
    expect(await store.partials.get('terminal-5')).toBeUndefined();
    expect(await returned(rig)).toMatchObject([{ how: 'erased', by: 'ada' }]);
    expect(JSON.stringify(await rig.events())).not.toContain('Bea');
  },
  { on: ['memory'] },
);

behaviour(
  'B5 B16 somebody else who has the number by now is put in the place of whom an old terminal brings back',
  async (rig) => {
    const old = await snapshot(rig);
    await rig.gateway.operations.eraseUser(2, 'ada');
    await gone(rig, 2);
    rig.terminal('terminal-3').enrol({ user: 2, name: 'Eve', finger: 1 });
    await verifiedOn(rig, 2, ALL);
    await goesBack(rig, old);
    await verifiedOn(rig, 2, ALL);
    expect(rig.terminal('terminal-5').user(2)?.name).toBe('Eve');
    expect(await rig.gateway.operations.conflicts({ limit: 9 })).toEqual([]);
    expect(await returned(rig)).toMatchObject([{ user: 2, how: 'erased' }]);
  },
  { on: ['memory'] },
);

behaviour(
  'B17 B16 nothing of whom an old terminal brings back is filled in where the number is of somebody without a name by now',
  async (rig) => {
    const old = await snapshot(rig);
    await rig.gateway.operations.eraseUser(2, 'ada');
    await gone(rig, 2);
    rig.terminal('terminal-3').enrol({ user: 2, finger: 1 });
    await verifiedOn(rig, 2, ALL);
    await goesBack(rig, old);
    await verifiedOn(rig, 2, ALL);
    const there = rig.terminal('terminal-5').user(2);
    expect([there?.name, there?.['card.0']]).toEqual([undefined, undefined]);
    expect(there?.['finger.1']).toBeDefined();
    expect(await returned(rig)).toMatchObject([{ user: 2, how: 'erased' }]);
  },
  { on: ['memory'] },
);

behaviour(
  'B16 what is enrolled for whom a terminal still holds is not merged into who was given the number meanwhile',
  async (rig) => {
    await snapshot(rig);
    const { operations, store } = rig.gateway;
    await rig.unplug('lab');
    await operations.deleteUser(2);
    await operations.addUser(2, { set: { name: 'Eve' }, clear: [] });
    const there = (await store.ledger({ user: 2, limit: 9 })).find(
      ({ terminal }) => terminal === 'terminal-5',
    );
    expect(there).toMatchObject({ want: 'present', state: 'pending', delivered: 0 });
    await rig.pass(2_000);
    rig.terminal('terminal-5').enrol({ user: 2, finger: 1 });
    await rig.plug('lab');
    await rig.until('the conflict', async () => (await store.countConflicts()) === 1);
    await atRest(rig);
    const [conflict] = await operations.conflicts({ limit: 9 });
    expect(conflict).toMatchObject({ user: 2, kind: 'two-people', terminal: 'terminal-5' });
    expect([...((await store.user(2))?.record.fields.keys() ?? [])]).toEqual([FIELDS.name.number]);
  },
  { on: ['memory'] },
);

behaviour(
  'B5 B16 who was given a number is not taken to have been deleted where whom a terminal still held was',
  async (rig) => {
    await snapshot(rig);
    const { operations } = rig.gateway;
    const terminal = rig.terminal('terminal-5');
    for (const isTold of [true, false]) {
      await rig.unplug('lab');
      await operations.deleteUser(2);
      await operations.addUser(2, { set: { name: 'Eve' }, clear: [] });
      terminal.remove(2);
      if (!isTold) terminal.clearLog();
      await rig.plug('lab');
      await verifiedOn(rig, 2, ALL);
      expect(terminal.user(2)?.name).toBe('Eve');
    }
  },
  { on: ['memory'] },
);

behaviour(
  'B17 nor where the number is of somebody with the same name: what was erased stays so',
  async (rig) => {
    const old = await snapshot(rig);
    const { operations, store } = rig.gateway;
    await operations.eraseUser(2, 'ada');
    await gone(rig, 2);
    await operations.addUser(2, { set: { name: BEA.name }, clear: [] });
    await verifiedOn(rig, 2, ALL);
    await goesBack(rig, old);
    await verifiedOn(rig, 2, ALL);
    expect(rig.terminal('terminal-5').user(2)).toMatchObject({ name: BEA.name });
    expect([...((await store.user(2))?.record.fields.keys() ?? [])]).toEqual([FIELDS.name.number]);
    expect(await returned(rig)).toMatchObject([{ user: 2, how: 'erased' }]);
  },
  { on: ['memory'] },
);

behaviour(
  'B2 B5 who is enrolled again at a terminal after they were deleted is a user again, and is not removed any more',
  async (rig) => {
    const old = await snapshot(rig);
    await rig.gateway.operations.deleteUser(2);
    await gone(rig, 2);
    await rig.pass(2_000);
    rig.terminal('terminal-3').enrol({ user: 2, name: 'Bea', finger: 1 });
    await verifiedOn(rig, 2, ALL);
    await goesBack(rig, old);
    await verifiedOn(rig, 2, ALL);
    expect(await returned(rig)).toEqual([]);
    expect(rig.terminal('terminal-5').user(2)?.['finger.1']).toBeDefined();
  },
  { on: ['memory'] },
);

behaviour(
  'B11 somebody new under the number of one who was deleted is fetched, though no log tells of them',
  async (rig) => {
    await snapshot(rig);
    await rig.gateway.operations.deleteUser(2);
    await gone(rig, 2);
    const terminal = rig.terminal('terminal-5');
    terminal.load([readRecord(encodeUser({ id: 2, ...EVE }))]);
    terminal.clearLog();
    await verifiedOn(rig, 2, ALL);
    expect(await returned(rig)).toEqual([]);
  },
  { on: ['memory'] },
);

behaviour(
  'B12 B13 a comparison says of those who are only there who was deleted here; resolved both ways they are removed there',
  async (rig) => {
    await snapshot(rig);
    const { operations } = rig.gateway;
    await operations.deleteUser(2, 'ada');
    await gone(rig, 2);
    rig.terminal('terminal-5').load([readRecord(encodeUser({ id: 2, ...BEA }))]);
    const look = await during(rig, 'compared', operations.compare('terminal-5', {}));
    expect(look).toMatchObject({ extra: [2], deleted: [{ user: 2, by: 'ada', how: 'deleted' }] });
    const dry = await during(
      rig,
      'compared',
      operations.compare('terminal-5', { take: 'both', dryRun: true }),
    );
    expect(dry.preview?.users).toEqual([{ user: 2, terminal: 'terminal-5', effect: 'removed' }]);
    const done = await during(rig, 'compared', operations.compare('terminal-5', { take: 'both' }));
    expect(done).toMatchObject({ pulled: 0, removed: 1 });
    await gone(rig, 2);
    rig.terminal('terminal-5').load([readRecord(encodeUser({ id: 2, ...BEA }))]);
    await operations.pull(2, 'terminal-5');
    await verifiedOn(rig, 2, ALL);
  },
  { on: ['memory'] },
);

behaviour(
  'B1 B5 under all, too, a terminal that went back brings nobody back; whom people there enrolled stays there',
  async (rig) => {
    const old = await snapshot(rig);
    const { operations, store } = rig.gateway;
    await operations.deleteUser(2);
    await gone(rig, 2);
    await operations.changeSettings({ autoSync: 'all' });
    await goesBack(rig, old);
    await gone(rig, 2);
    const terminal = rig.terminal('terminal-5');
    terminal.load([readRecord(encodeUser({ id: 2, ...EVE }))]);
    terminal.clearLog();
    await rig.pass(5_000);
    await atRest(rig);
    expect(terminal.users().has(2)).toBe(true);
    expect(await store.user(2)).toBeUndefined();
  },
  { on: ['memory'] },
);

/** So soon what is in doubt is looked at, and what follows is done. */
const SEEN_TO_MS = 10_000;
/** When somebody is removed, milliseconds: what the terminal logs of it is read amid a renewal of its session. */
const REMOVED_AT = Array.from({ length: 6 }, (_, index) => 13_248 + 4 * index);
const RENEWED_OFTEN = {
  lines: {
    floor: [
      { name: 'terminal-1', groups: [1] },
      { name: 'terminal-2', groups: [1, 2], logs: 40 },
    ],
    gate: [{ name: 'terminal-3', groups: [2], model: 'card-500' }],
  },
  ...{ seed: 1, renewalMs: 7_000 },
} as const;

test('B5 B11 who was removed from a terminal that goes back before it told of that, amid a renewal of its session, is removed again', async () => {
  for (const at of REMOVED_AT) {
    const rig = await memoryRig(RENEWED_OFTEN);
    const terminal = rig.terminal('terminal-3');
    for (const user of [1, 2])
      await rig.gateway.operations.addUser(user, { set: { name: 'Bea', groups: [1, 2] }, clear: [] });
    await rig.pass(9_000);
    const old = rig.flashes.get('terminal-3')?.read() ?? new Uint8Array();
    await rig.pass(at - 9_000);
    await rig.gateway.operations.deleteUser(2);
    await rig.pass(500);
    expect(terminal.users().has(2)).toBe(false);
    terminal.powerOff();
    rig.flashes.get('terminal-3')?.replace([old]);
    terminal.powerOn();
    await rig.pass(SEEN_TO_MS);
    expect(terminal.users().has(2), `removed at ${at} ms`).toBe(false);
    await rig.close();
  }
});

/** Types of plain messages of a handshake, and where they stand in a frame. */
const [OPEN, ACCEPT, AT] = [0x05, 0x85, 4];
/** How long before its session is renewed somebody is removed, and it starts anew. */
const [REMOVED_MS, ANEW_MS] = [650, 520];

test('B5 B11 nor does it help that its log was asked for before it told of itself in the new session, and answered after that somebody came', async () => {
  const between = new Between();
  const rig = await memoryRig(
    { lines: { floor: [{ name: 'terminal-1' }, { name: 'terminal-2' }] }, seed: 1, renewalMs: 7_000 },
    { between: { floor: between } },
  );
  const terminal = rig.terminal('terminal-2');
  let renewed = 0;
  between.listen(({ frame: [, address], frame }) => {
    if (address === 2 && frame[AT] === ACCEPT) renewed = rig.clock.now();
  });
  for (const user of [1, 2]) await rig.gateway.operations.addUser(user, { set: { name: 'Bea' }, clear: [] });
  await rig.until('renewed', () => renewed > 6_000);
  const old = rig.flashes.get('terminal-2')?.read() ?? new Uint8Array();
  const until = (ms: number): number => renewed + 7_000 - ms - rig.clock.now();
  await rig.pass(until(REMOVED_MS));
  await rig.gateway.operations.deleteUser(2);
  await rig.until('user 2 removed', () => !terminal.users().has(2));
  await rig.pass(until(ANEW_MS));
  terminal.powerOff();
  rig.flashes.get('terminal-2')?.replace([old]);
  terminal.powerOn();
  let came = false;
  between.act = ({ frame, fromGateway }) => {
    if (came || !fromGateway || frame[1] !== 2 || frame[AT] !== OPEN) return undefined;
    came = true;
    terminal.tap({ user: 1 });
    // Both have something to tell: the log of the second is asked for behind that of the first.
    return { on: [frame], back: [1, 2].map((address) => unstuff(handWire(address).subarray(0, -1))) };
  };
  await rig.pass(until(0) + SEEN_TO_MS);
  expect([came, terminal.users().has(2)]).toEqual([true, false]);
  await rig.close();
});
