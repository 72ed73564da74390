import type { Terminal } from '@whorl/device-emulator';
import { encodeUser, readRecord } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import {
  ALL,
  allOnline,
  atRest,
  behaviour,
  digestsOf,
  everywhere,
  logsRead,
  sameOn,
  verifiedOn,
} from '../rig/behaviour.ts';
import { memoryRig } from '../rig/memory.ts';
import { pairAgain } from '../rig/ports.ts';
import { SMALL_SITE } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';
import { keyFor } from '../rig/wiring.ts';

const WITH_A_SHORT_LOG = {
  lines: { ...SMALL_SITE.lines, lab: [{ name: 'terminal-5', groups: [1], logs: 20 }] },
};
const WITH_AN_OLDER_ONE = {
  lines: {
    floor: [{ name: 'terminal-1' }],
    lab: [{ name: 'terminal-5' }],
    gate: [{ name: 'terminal-6', model: 'card-500' }],
  },
} as const;
const USERS = Array.from({ length: 12 }, (_, index) => index + 1);

async function peopled(rig: Rig): Promise<void> {
  for (const user of USERS) rig.terminal('terminal-1').enrol({ user, name: `User ${user}`, finger: 0 });
  for (const user of USERS) await verifiedOn(rig, user, ALL);
  await atRest(rig);
  await logsRead(rig);
}

/** What the events of a kind say, in order. */
async function told(rig: Rig, type: string): Promise<readonly object[]> {
  return (await rig.events()).flatMap((event) =>
    event.type === type && event.terminal === 'terminal-5' ? [event.data] : [],
  );
}

async function compared(rig: Rig, times = 1): Promise<readonly object[]> {
  await rig.until('terminal-5 compared', async () => (await told(rig, 'terminal.compared')).length >= times);
  await atRest(rig);
  const { terminals } = await rig.gateway.operations.status();
  expect(terminals.map((one) => one.unknown)).toEqual(terminals.map(() => undefined));
  return told(rig, 'terminal.compared');
}

/** Users that were sent to the other terminals in vain. */
function writesElsewhere(rig: Rig): number {
  return ['terminal-2', 'terminal-6']
    .map(
      (name) =>
        rig
          .terminal(name)
          .logs()
          .filter((log) => log.origin === 'gateway').length,
    )
    .reduce((sum, one) => sum + one, 0);
}

behaviour(
  'B11 records overwritten before they were read: told, compared by itself, and no enrolment is lost',
  async (rig) => {
    await peopled(rig);
    const elsewhere = writesElsewhere(rig);
    await rig.unplug('lab');
    const terminal = rig.terminal('terminal-5');
    terminal.enrol({ user: 3, finger: 7 });
    terminal.enrol({ user: 77, name: 'New here', finger: 2 });
    terminal.remove(5);
    for (let tap = 0; tap < 40; tap += 1) terminal.tap({ user: 1 });
    await rig.gateway.operations.editUser(3, { set: { name: 'Edited meanwhile' }, clear: [] });
    await rig.plug('lab');
    expect(await compared(rig)).toMatchObject([
      { cause: 'overwritten', same: 10, different: 1, missing: 1, extra: 1 },
    ]);
    await verifiedOn(rig, 77, ALL);
    await verifiedOn(rig, 3, ALL);
    expect(rig.terminal('terminal-1').user(3)).toMatchObject({ name: 'Edited meanwhile' });
    expect(rig.terminal('terminal-1').user(3)?.['finger.7']).toBeDefined();
    await verifiedOn(
      rig,
      5,
      ALL.filter((name) => name !== 'terminal-5'),
    );
    expect(await told(rig, 'terminal.log.gap')).toMatchObject([{ cause: 'overwritten' }]);
    await rig.pass(1_500);
    // The edit, the finger and the new user went there; nothing else did.
    expect(writesElsewhere(rig) - elsewhere).toBeLessThanOrEqual(6);
  },
  { plan: WITH_A_SHORT_LOG, on: ['memory', 'tcp'] },
);

behaviour(
  'B11 a cleared log is told and the terminal compared; nothing travels when all is the same',
  async (rig) => {
    await peopled(rig);
    rig.terminal('terminal-5').clearLog();
    const before = rig.media.get('lab')?.counters.bytesToTerminals ?? 0;
    expect(await compared(rig)).toEqual([
      { cause: 'cleared', same: 12, different: 0, missing: 0, extra: 0, pushed: 0, pulled: 0 },
    ]);
    expect(await told(rig, 'terminal.log.cleared')).toHaveLength(1);
    expect((rig.media.get('lab')?.counters.bytesToTerminals ?? 0) - before).toBeLessThan(1_000);
  },
  { destroys: 'the log of a terminal', on: ['memory'] },
);

behaviour(
  'B11 a log that was cleared with unread records in it hides no enrolment',
  async (rig) => {
    await peopled(rig);
    await rig.unplug('lab');
    rig.terminal('terminal-5').enrol({ user: 4, finger: 9 });
    rig.terminal('terminal-5').clearLog();
    await rig.plug('lab');
    expect(await compared(rig)).toMatchObject([{ cause: 'cleared', different: 1, missing: 0 }]);
    expect(await told(rig, 'terminal.log.gap')).toMatchObject([{ cause: 'cleared' }]);
    await verifiedOn(rig, 4, ALL);
    expect(rig.terminal('terminal-2').user(4)?.['finger.9']).toBeDefined();
  },
  { destroys: 'the log of a terminal', on: ['memory'] },
);

everywhere(
  'B11 G3 a terminal that is reset to new is paired again by its code, and gets its users back',
  async (site) => {
    const [there = ''] = site.able('reset');
    const user = site.someone();
    await site.gateway.operations.addUser(user, { set: { name: 'Ada' }, clear: [] });
    await verifiedOn(site, user, site.names);
    await site.hands(there).factoryReset();
    await site.until(`${there} in quarantine`, async () =>
      (await site.gateway.operations.status()).terminals.some(
        ({ name, state }) => name === there && state === 'quarantined',
      ),
    );
    await pairAgain(site, there);
    await site.until('the reset told', async () =>
      (await site.events()).some(
        (event) => event.type === 'terminal.compared' && event.data.cause === 'reset',
      ),
    );
    await atRest(site);
    await sameOn(site, user, site.names);
  },
  { needs: ['reset'], terminals: 1, destroys: 'all that a terminal holds' },
);

behaviour(
  'B11 a terminal that was reset to new gets its users back, once it is paired again',
  async (rig) => {
    await peopled(rig);
    const elsewhere = writesElsewhere(rig);
    const terminal = rig.terminal('terminal-5');
    terminal.factoryReset();
    await rig.until('terminal-5 started', () => terminal.power === 'on');
    terminal.setKey(keyFor(terminal.serial));
    expect(await compared(rig)).toMatchObject([{ cause: 'reset', same: 0, missing: 12, pushed: 12 }]);
    expect(await told(rig, 'terminal.log.gap')).toMatchObject([{ cause: 'reset' }]);
    for (const user of USERS) await verifiedOn(rig, user, ALL);
    for (const user of USERS) expect(digestsOf(rig, user).size).toBe(1);
    await rig.pass(1_500);
    expect(writesElsewhere(rig)).toBe(elsewhere);
  },
  { destroys: 'all that a terminal holds', on: ['memory', 'pty'] },
);

behaviour(
  'B11 the doubt survives a restart of the gateway',
  async (rig) => {
    await peopled(rig);
    const terminal = rig.terminal('terminal-5');
    terminal.factoryReset();
    await rig.until('terminal-5 started', () => terminal.power === 'on');
    terminal.setKey(keyFor(terminal.serial));
    await rig.until('the doubt', async () =>
      (await rig.gateway.store.terminals()).some((row) => row.doubt === 'reset'),
    );
    await rig.restartGateway();
    await allOnline(rig);
    expect(await compared(rig)).toMatchObject([{ cause: 'reset' }]);
    for (const user of USERS) await verifiedOn(rig, user, ALL);
  },
  { destroys: 'all that a terminal holds', on: ['memory'] },
);

behaviour(
  'B11 a clock that was wrong is told once and set, and the terminal is compared',
  async (rig) => {
    await peopled(rig);
    const terminal = rig.terminal('terminal-5');
    await rig.unplug('lab');
    terminal.setClock(terminal.shown + 3 * 86_400_000);
    terminal.enrol({ user: 2, finger: 8 });
    for (let tap = 0; tap < 40; tap += 1) terminal.tap({ user: 1 });
    await rig.plug('lab');
    expect(await compared(rig)).toMatchObject([{ cause: 'clock', missing: 0, extra: 0 }]);
    expect(await told(rig, 'terminal.clock.wrong')).toHaveLength(1);
    await verifiedOn(rig, 2, ALL);
    const now = (await rig.events()).at(-1)?.time ?? 0;
    expect(Math.abs(terminal.shown - now)).toBeLessThan(60_000);
    await rig.pass(120_000);
    expect(await told(rig, 'terminal.clock.wrong')).toHaveLength(1);
    expect(await told(rig, 'terminal.compared')).toHaveLength(1);
  },
  { on: ['memory'] },
);

behaviour(
  'B11 a clock that somebody sets while the gateway listens is told, set back, and the terminal compared',
  async (rig) => {
    await peopled(rig);
    const terminal = rig.terminal('terminal-5');
    terminal.setClock(terminal.shown - 7_200_000);
    expect(await compared(rig)).toMatchObject([{ cause: 'clock', same: 12 }]);
    expect(await told(rig, 'terminal.clock.wrong')).toHaveLength(1);
    const now = (await rig.events()).at(-1)?.time ?? 0;
    expect(Math.abs(terminal.shown - now)).toBeLessThan(60_000);
    // What the terminal logged of being set is no news that it would call for.
    await rig.pass(3_000);
    const row = (await rig.gateway.store.terminals()).find(({ name }) => name === 'terminal-5');
    expect(row?.position.id).toBe(terminal.logs(1)[0]?.id);
  },
  { on: ['memory'] },
);

behaviour(
  'B11 a clock that drifts while the terminal stays online is read every hour, and set when it is too far off',
  async (rig) => {
    const [good, slow, older] = [
      rig.terminal('terminal-1'),
      rig.terminal('terminal-5'),
      rig.terminal('terminal-6'),
    ];
    good.enrol({ user: 1, finger: 0 });
    await verifiedOn(rig, 1, ['terminal-1', 'terminal-5', 'terminal-6']);
    // Slow, so that no log record of it can be seen to be from the future.
    for (const terminal of [slow, older]) terminal.setClock(terminal.shown, -200_000);
    await rig.pass(3_660_000);
    expect(await compared(rig)).toMatchObject([{ cause: 'clock', same: 1, pushed: 0, pulled: 0 }]);
    expect(await told(rig, 'terminal.clock.wrong')).toHaveLength(1);
    const set = (terminal: Terminal): number =>
      terminal.logs().filter(({ kind, origin }) => kind === 'terminal.clock.set' && origin === 'gateway')
        .length;
    // The older one cannot be asked: what it shows is learnt when it is greeted.
    expect([set(good), set(slow), set(older)]).toEqual([0, 1, 0]);
    expect(good.shown - older.shown).toBeGreaterThan(300_000);
    await rig.unplug('gate');
    await rig.plug('gate');
    await rig.until('the older one set', () => set(older) === 1);
    expect(Math.abs(good.shown - older.shown)).toBeLessThan(60_000);
  },
  { on: ['memory'], plan: WITH_AN_OLDER_ONE },
);

behaviour(
  'B11 a user that only the terminal holds, with no log that says so, is fetched',
  async (rig) => {
    await peopled(rig);
    const terminal = rig.terminal('terminal-5');
    terminal.load([readRecord(encodeUser({ id: 90, name: 'Unlogged' }))]);
    terminal.clearLog();
    expect(await compared(rig)).toMatchObject([{ cause: 'cleared', extra: 1, pulled: 1 }]);
    await verifiedOn(rig, 90, ALL);
  },
  { destroys: 'the log of a terminal', on: ['memory'] },
);

behaviour(
  'B11 a terminal that went back to an older state gets what it lost, and no log is taken twice',
  async (rig) => {
    for (const user of USERS.slice(0, 6)) rig.terminal('terminal-5').enrol({ user, finger: 0 });
    for (const user of USERS.slice(0, 6)) await verifiedOn(rig, user, ALL);
    const old = rig.flashes.get('terminal-5')?.read() ?? new Uint8Array();
    await peopled(rig);
    const elsewhere = writesElsewhere(rig);
    const enrolled = (await rig.events()).filter((event) => event.type === 'user.enrol.succeeded').length;
    const terminal = rig.terminal('terminal-5');
    terminal.powerOff();
    rig.flashes.get('terminal-5')?.replace([old]);
    terminal.powerOn();
    expect(await compared(rig)).toMatchObject([{ cause: 'backwards', extra: 0, pulled: 6 }]);
    expect(await told(rig, 'terminal.log.gap')).toMatchObject([{ cause: 'backwards' }]);
    for (const user of USERS) await verifiedOn(rig, user, ALL);
    for (const user of USERS) expect(digestsOf(rig, user).size).toBe(1);
    await rig.pass(1_500);
    expect(writesElsewhere(rig)).toBe(elsewhere);
    const after = (await rig.events()).filter((event) => event.type === 'user.enrol.succeeded').length;
    // What was written there once more, and nothing that was told before.
    expect(after - enrolled).toBe(6);
    const merged = (await rig.events()).filter((event) => event.type === 'user.merged');
    expect(merged.filter((event) => event.terminal === 'terminal-5').length).toBeLessThanOrEqual(12);
  },
  { on: ['memory'] },
);

test('B11 B16 what a terminal brings along is looked at before anything is sent to it [memory]', async () => {
  const rig = await memoryRig(SMALL_SITE);
  onTestFinished(() => rig.close());
  const theirs = { id: 1, name: 'Bea', 'card.0': { format: 1, number: Uint8Array.of(9, 9, 9, 9) } };
  const only = { id: 2, name: 'Only there' };
  // Before it was ever seen: no log tells of them.
  rig.terminal('terminal-2').load([theirs, only].map((user) => readRecord(encodeUser(user))));
  const card = { format: 1, number: Uint8Array.of(1, 2, 3, 4) };
  await rig.gateway.operations.addUser(1, { set: { name: 'Ada', 'card.0': card }, clear: [] });
  await allOnline(rig);
  const others = ALL.filter((name) => name !== 'terminal-2');
  await verifiedOn(rig, 1, others);
  await verifiedOn(rig, 2, ALL);
  await atRest(rig);
  expect(rig.terminal('terminal-2').user(1)?.name).toBe('Bea');
  expect(await rig.gateway.operations.conflicts({ state: 'open', limit: 10 })).toMatchObject([
    { user: 1, kind: 'two-people', terminal: 'terminal-2' },
  ]);
});
