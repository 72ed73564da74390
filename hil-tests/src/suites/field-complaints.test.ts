import type { CompareReport } from '@whorl/gateway';
import { Sqlite } from '@whorl/gateway/store/sqlite';
import { encodeUser, readRecord } from '@whorl/protocol';
import { expect, onTestFinished, vi } from 'vitest';
import { ALL, atRest, behaviour, digestsOf, logsRead, verifiedOn } from '../rig/behaviour.ts';
import { keyFor } from '../rig/wiring.ts';
import type { Rig } from '../rig/rig.ts';
import { during } from '../rig/settled.ts';

// What is complained of in the field about gateways for terminals, each shown not to happen here.

const IN_MEMORY = { on: ['memory'] } as const;

/** So many users with access groups, verified everywhere, their logs read. */
async function peopled(rig: Rig, users: number): Promise<void> {
  const { operations, store } = rig.gateway;
  for (let id = 1 + (await store.countUsers()); id <= users; id += 1)
    await operations.addUser(id, { set: { name: `User ${id}`, groups: [1, 2] }, clear: [] });
  await rig.until(
    'everybody everywhere',
    () => [...rig.terminals.values()].every((terminal) => terminal.users().size === users),
    { withinMs: 3_600_000 },
  );
  await atRest(rig, 3_600_000);
  await logsRead(rig);
}

const compared = (rig: Rig, terminal: string, take?: 'gateway'): Promise<CompareReport> =>
  during(rig, 'compared', rig.gateway.operations.compare(terminal, take === undefined ? {} : { take }));

const told = async (rig: Rig): Promise<readonly object[]> =>
  (await rig.events()).flatMap((event) =>
    event.type === 'terminal.compared' && event.terminal === 'terminal-5' ? [event.data] : [],
  );

/** Records of the gateway's own writes that a terminal logged, the latest last. */
function writesAt(rig: Rig, terminal: string): readonly string[] {
  const own = rig
    .terminal(terminal)
    .logs()
    .filter(({ origin }) => origin === 'gateway');
  return own.map(({ kind, user }) => `${kind} ${user}`);
}

behaviour(
  'B11 complaint: the sync state says "in sync" while users are missing. Here the content is compared, and the missing are sent',
  async (rig) => {
    await peopled(rig, 12);
    rig.terminal('terminal-5').unload([3, 4, 5]);
    const { terminals } = await rig.gateway.operations.status();
    expect(terminals.find(({ name }) => name === 'terminal-5')?.ledger.verified, 'by the list alone').toBe(
      12,
    );
    expect(await compared(rig, 'terminal-5')).toMatchObject({ same: 9, missing: [3, 4, 5] });
    await compared(rig, 'terminal-5', 'gateway');
    for (const user of [3, 4, 5]) await verifiedOn(rig, user, ALL);
    expect(await compared(rig, 'terminal-5')).toMatchObject({ same: 12, missing: [] });
    for (const user of [3, 4, 5]) expect(digestsOf(rig, user).size).toBe(1);
  },
  IN_MEMORY,
);

behaviour(
  'B11 complaint: users are missing after a terminal came back, and nobody notices. Here a log that is not the one it was brings a comparison by itself, and the state says who is missing',
  async (rig) => {
    await peopled(rig, 12);
    const ledger = async (): Promise<unknown> =>
      (await rig.gateway.operations.status()).terminals.find(({ name }) => name === 'terminal-5')?.ledger;
    const terminal = rig.terminal('terminal-5');
    terminal.unload([3, 4, 5]);
    terminal.clearLog();
    await rig.until('the missing told', async () => JSON.stringify(await told(rig)).includes('"missing":3'));
    await atRest(rig);
    expect(await ledger(), 'who is taken to be deleted there stays so').toMatchObject({
      verified: 9,
      withheld: 3,
    });
    await rig.gateway.operations.changeSettings({ restoreDeleted: true });
    terminal.unload([6, 7]);
    terminal.clearLog();
    await rig.until('they are back', () => terminal.users().has(6) && terminal.users().has(7));
    await atRest(rig);
    expect(await ledger()).toMatchObject({ verified: terminal.users().size });
  },
  IN_MEMORY,
);

behaviour(
  'B3 complaint: access groups get lost. Here they stay through an edit, a reset and a replaced table of a terminal, and reach it again',
  async (rig) => {
    await peopled(rig, 3);
    const everywhere = async (user: number): Promise<void> => {
      await verifiedOn(rig, user, ALL);
      for (const terminal of rig.terminals.values())
        expect(terminal.user(user)).toMatchObject({ groups: [1, 2] });
    };
    const terminal = rig.terminal('terminal-5');
    terminal.edit({ user: 1, clear: ['groups'] });
    terminal.enrol({ user: 1, finger: 1 });
    await rig.until(
      'the finger everywhere',
      () => rig.terminal('terminal-1').user(1)?.['finger.1'] !== undefined,
    );
    await atRest(rig);
    await everywhere(1);
    terminal.load([readRecord(encodeUser({ id: 2, name: 'User 2' }))]);
    terminal.clearLog();
    await rig.until('user 2 as before', () => digestsOf(rig, 2).size === 1);
    await everywhere(2);
    terminal.factoryReset();
    await rig.until('terminal-5 started', () => terminal.power === 'on');
    terminal.setKey(keyFor(terminal.serial));
    await rig.until('all back', () => terminal.users().size === 3);
    for (const user of [1, 2, 3]) await everywhere(user);
  },
  IN_MEMORY,
);

behaviour(
  'B5 B11 complaint: a sync error deletes users. Here a terminal that was reset, or lost all of them, costs nobody theirs elsewhere',
  async (rig) => {
    await peopled(rig, 12);
    const all = Array.from({ length: 12 }, (_, i) => i + 1);
    const terminal = rig.terminal('terminal-5');
    rig.media.get('lab')?.setBitErrors(1 / 4000);
    terminal.factoryReset();
    await rig.until('terminal-5 started', () => terminal.power === 'on');
    terminal.setKey(keyFor(terminal.serial));
    await rig.until('all back after a reset', () => terminal.users().size === 12);
    await atRest(rig);
    terminal.unload(all);
    terminal.clearLog();
    await rig.until('the loss told', async () => (await told(rig)).length === 2);
    await atRest(rig);
    await rig.pass(10_000);
    await atRest(rig);
    expect(await rig.gateway.store.countUsers()).toBe(12);
    for (const name of ALL.filter((one) => one !== 'terminal-5')) {
      expect(rig.terminal(name).users().size).toBe(12);
      expect(writesAt(rig, name).filter((log) => log.startsWith('user.deleted'))).toEqual([]);
    }
    expect((await rig.events()).filter(({ type }) => type === 'user.removed')).toEqual([]);
  },
  IN_MEMORY,
);

behaviour(
  'B10 complaint: one bad terminal makes the server send everything again. Here the others get each user once, whatever it does',
  async (rig) => {
    await rig.gateway.operations.changeSettings({ restoreDeleted: true });
    await peopled(rig, 10);
    const good = ALL.filter((name) => name !== 'terminal-5');
    const before = new Map(good.map((name) => [name, writesAt(rig, name).length]));
    const bytes = (): number => rig.media.get('gate')?.counters.bytesToTerminals ?? 0;
    const bad = rig.terminal('terminal-5');
    rig.media.get('lab')?.setBitErrors(1 / 1000);
    for (let time = 0; time < 6; time += 1) {
      bad.reboot();
      await rig.pass(5_000);
      bad.clearLog();
      bad.unload([1 + time]);
    }
    rig.media.get('lab')?.setBitErrors(0);
    await rig.until('the bad one is whole again', () => bad.power === 'on' && bad.users().size === 10);
    await atRest(rig);
    await rig.pass(2_000);
    for (const name of good) expect(writesAt(rig, name)).toHaveLength(before.get(name) ?? 0);
    const start = bytes();
    await rig.gateway.operations.editUser(1, { set: { name: 'Edited' }, clear: [] });
    await verifiedOn(rig, 1, ALL);
    await rig.pass(2_000);
    for (const name of good) expect(writesAt(rig, name)).toHaveLength((before.get(name) ?? 0) + 1);
    expect(bytes() - start, 'one edit, and polls').toBeLessThan(6_000);
  },
  IN_MEMORY,
);

const EDITS = 40;

interface Cost {
  /** That the database carried out. */
  readonly statements: number;
  readonly pulls: number;
  /** Records that terminals logged. */
  readonly logs: number;
}

/** What so many edits at terminals cost when there are so many users. */
async function costOfEdits(rig: Rig, users: number): Promise<Cost> {
  await peopled(rig, users);
  const counted = (['get', 'all', 'run'] as const).map((kind) => vi.spyOn(Sqlite.prototype, kind));
  onTestFinished(() => void vi.restoreAllMocks());
  const written = (): number => ALL.reduce((sum, name) => sum + rig.terminal(name).logs().length, 0);
  const before = { events: (await rig.events()).length, logs: written() };
  for (const spy of counted) spy.mockClear();
  for (let edit = 0; edit < EDITS; edit += 1)
    rig.terminal(ALL[edit % ALL.length] ?? 'terminal-1').enrol({ user: users - edit, finger: 0 });
  // The statements of waiting for the end would be counted, too.
  await rig.pass(60_000);
  const statements = counted.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  for (const spy of counted) spy.mockRestore();
  await atRest(rig);
  const merged = (await rig.events()).slice(before.events).filter(({ type }) => type === 'user.merged');
  return { statements, pulls: merged.length, logs: written() - before.logs };
}

behaviour(
  'B8 complaint: the server slows down when many people edit. Here an edit costs as much work among 500 users as among 50',
  async (rig) => {
    const few = await costOfEdits(rig, 50);
    const many = await costOfEdits(rig, 500);
    for (const cost of [few, many]) {
      expect(cost.pulls).toBe(EDITS);
      // The edit itself, and a write at each of the five others.
      expect(cost.logs).toBe(EDITS * ALL.length);
    }
    expect(many.statements).toBeLessThan(few.statements * 1.1);
    expect(few.statements / EDITS).toBeLessThan(100);
  },
  IN_MEMORY,
);

behaviour(
  'B11 complaint: only a wipe cures a terminal. Here what differs is put right, and nobody else is touched or away for a moment',
  async (rig) => {
    await peopled(rig, 20);
    const terminal = rig.terminal('terminal-5');
    terminal.load([
      readRecord(encodeUser({ id: 3, name: 'Somebody else' })),
      readRecord(encodeUser({ id: 77, name: 'Unknown' })),
    ]);
    terminal.unload([5]);
    const before = writesAt(rig, 'terminal-5').length;
    const untouched = Array.from({ length: 20 }, (_, i) => i + 1).filter((user) => user !== 3 && user !== 5);
    let away = 0;
    void compared(rig, 'terminal-5', 'gateway');
    await rig.until('in line again', () => {
      if (!untouched.every((user) => terminal.users().has(user))) away += 1;
      return digestsOf(rig, 3).size === 1 && terminal.users().has(5) && !terminal.users().has(77);
    });
    expect(away).toBe(0);
    await atRest(rig);
    const writes = writesAt(rig, 'terminal-5').slice(before);
    expect([...writes].sort()).toEqual(['user.deleted 77', 'user.edited 3', 'user.enrolled 5']);
    expect(terminal.tableDigest).toBe(rig.terminal('terminal-6').tableDigest);
  },
  IN_MEMORY,
);
