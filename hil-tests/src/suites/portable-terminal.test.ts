import type { Display } from '@whorl/device-emulator';
import type { ModbusBusConfig } from '@whorl/gateway';
import { seededRandom } from '@whorl/protocol';
import type { User } from '@whorl/protocol';
import { expect } from 'vitest';
import { fingerUser } from '../bench/users.ts';
import { behaviour, verifiedOn } from '../rig/behaviour.ts';
import type { BehaviourOptions } from '../rig/behaviour.ts';
import { during } from '../rig/settled.ts';
import type { Rig, RigPlan } from '../rig/rig.ts';

const PORTABLE = 'portable-1';
const DOCK = 'dock';
const MIRA = { id: 5, pin: '4711' } as const;
const SLICE = Array.from({ length: 40 }, (_, index) => 101 + index);
/** Where bytes take their time and nothing is broken off, a few say as much. */
const FEW = SLICE.slice(0, 8);
const HALF = SLICE.slice(0, 20);
/** Of the task alone, so that only its line carries them. */
const TASK_GROUP = 3;
const OUTSIDER = 200;

const PLAN = {
  lines: {
    lab: [{ name: 'terminal-1', groups: [1, 2] }],
    [DOCK]: [{ name: PORTABLE, model: 'portable-5k' }],
  },
} as const satisfies RigPlan;
const EVERYWHERE: BehaviourOptions = { plan: PLAN };
const IN_MEMORY: BehaviourOptions = { plan: PLAN, on: ['memory'] };

const window = (rig: Rig): Display['window'] => rig.terminal(PORTABLE).display.window;
const held = (rig: Rig): number[] => [...rig.terminal(PORTABLE).users().keys()];
const types = async (rig: Rig): Promise<string[]> => (await rig.events()).map(({ type }) => type);

function logIn(rig: Rig): void {
  rig.terminal(PORTABLE).press({ button: 'log-in', operator: MIRA.id, pin: MIRA.pin });
}

/** In the dock there is voltage, and the line. */
async function dock(rig: Rig): Promise<void> {
  await rig.plug(DOCK);
  rig.terminal(PORTABLE).setSupply(true);
}

async function undock(rig: Rig): Promise<void> {
  rig.terminal(PORTABLE).setSupply(false);
  await rig.unplug(DOCK);
}

/** Users of the task's access group, a task with them for the portable terminal, and an operator. @returns the task */
async function site(rig: Rig, users: readonly number[] = SLICE): Promise<number> {
  const { operations, tasks } = rig.gateway;
  for (const one of [...users, OUTSIDER]) {
    const { id, ...user } = fingerUser(one);
    const set = { ...user, groups: [one === OUTSIDER ? 2 : TASK_GROUP] };
    await during(rig, 'a user', operations.addUser(id, { set, clear: [] }));
  }
  await during(rig, 'an operator', tasks.saveOperator(MIRA.id, { name: 'Mira', pin: MIRA.pin }));
  const slice = { who: { by: 'groups', groups: [TASK_GROUP] }, without: [] } as const;
  const definition = { name: 'North gate', slice, files: [], terminals: [PORTABLE], operators: [] };
  const { id } = await during(rig, 'a task', tasks.addTask(definition));
  await rig.until('the terminal knows tasks and operators', () => {
    const { tasks, operators } = rig.terminal(PORTABLE).display;
    return tasks.length === 1 && operators.length === 1;
  });
  return id;
}

async function ended(rig: Rig, colour: 'green' | 'red', withinMs = 60_000): Promise<void> {
  const isOver = (): boolean => {
    const shown = window(rig);
    return shown?.kind === 'message' && shown.colour === colour;
  };
  await rig.until(`a ${colour} message`, isOver, { withinMs });
}

/** The first sync, by hand; afterwards nobody is logged in. */
async function synced(rig: Rig, users: readonly number[] = SLICE): Promise<number> {
  const task = await site(rig, users);
  logIn(rig);
  rig.terminal(PORTABLE).press({ button: 'sync', mode: 'synchronise', task });
  await ended(rig, 'green');
  rig.terminal(PORTABLE).press({ button: 'log-out' });
  return task;
}

/** Bytes that cross the dock's line towards the terminal from now on. */
function sentTo(rig: Rig): () => number {
  let bytes = 0;
  rig.media.get(DOCK)?.tap((piece, fromGateway, { noise }) => {
    if (fromGateway && !noise) bytes += piece.length;
  });
  return () => bytes;
}

behaviour(
  'P4 P9 a download by hand: the window shows how it stands, and the slice becomes the local database',
  async (rig) => {
    const task = await site(rig, FEW);
    logIn(rig);
    const stages = new Set<string>();
    const watching = rig.gateway.tasks.watch(({ progress }) => void stages.add(progress?.stage ?? ''));
    rig.terminal(PORTABLE).press({ button: 'sync', mode: 'synchronise', task });
    expect(window(rig)).toMatchObject({ kind: 'progress', stage: 'preparing' });
    await ended(rig, 'green');
    watching();
    expect(held(rig)).toEqual(FEW);
    expect([...stages]).toEqual(expect.arrayContaining(['preparing', 'downloading', 'storing']));
    expect(rig.terminal(PORTABLE).display).toMatchObject({ synced: task, operator: { id: MIRA.id } });
  },
  EVERYWHERE,
);

behaviour(
  'P1 P7 P8 people are enrolled offline; in the dock it syncs by itself, once, and is offline again',
  async (rig) => {
    await synced(rig, FEW);
    const terminal = rig.terminal(PORTABLE);
    logIn(rig);
    terminal.press({ button: 'mode', mode: 'offline' });
    await undock(rig);
    for (const user of [301, 302, 303])
      terminal.enrol({ user, name: `Guest ${user}`, groups: [1, TASK_GROUP], fingers: 1 });
    expect(terminal.tap({ user: 302 }).granted).toBe(true);
    terminal.press({ button: 'log-out' });
    await dock(rig);
    await ended(rig, 'green');
    expect(terminal.display).toMatchObject({
      mode: 'offline',
      online: false,
      operator: undefined,
      unsent: [],
    });
    await verifiedOn(rig, 302, ['terminal-1', PORTABLE]);
    expect(held(rig)).toEqual([...FEW, 301, 302, 303]);
    const syncs = (await types(rig)).filter((type) => type === 'sync.done').length;
    terminal.setSupply(false);
    terminal.setSupply(true);
    await rig.pass(3_000);
    expect(window(rig)).toMatchObject({ kind: 'message', colour: 'green' });
    expect((await types(rig)).filter((type) => type === 'sync.done')).toHaveLength(syncs);
  },
  EVERYWHERE,
);

const bus: ModbusBusConfig = { name: 'contacts', line: DOCK, every: 100, terminals: [PORTABLE], modules: [] };

behaviour(
  'P13 P7 one that does not notice its dock syncs when Modbus says that it is there: once',
  async (rig) => {
    await synced(rig);
    const terminal = rig.terminal(PORTABLE);
    logIn(rig);
    terminal.enrol({ user: 301, name: 'Guest 301', groups: [1, TASK_GROUP], fingers: 1 });
    terminal.press({ button: 'log-out' });
    await rig.until('its registers read', () =>
      rig.gateway.operations.registers().every(({ state }) => state === 'answering'),
    );
    const syncs = async (): Promise<number> =>
      (await types(rig)).filter((type) => type === 'sync.done').length;
    const before = await syncs();
    terminal.sensors.docked = true;
    await rig.until('a sync done', async () => (await syncs()) === before + 1);
    await verifiedOn(rig, 301, ['terminal-1', PORTABLE]);
    terminal.sensors.docked = false;
    await rig.pass(3_000);
    terminal.sensors.docked = true;
    await rig.pass(10_000);
    expect(await syncs()).toBe(before + 1);
  },
  { plan: { ...PLAN, modbus: { buses: [bus], modules: { [DOCK]: [] } } }, on: ['memory'] },
);

behaviour(
  'P9 a task that the gateway refuses is red at the display, until somebody closes it, and an event',
  async (rig) => {
    await site(rig);
    logIn(rig);
    rig.terminal(PORTABLE).press({ button: 'sync', mode: 'synchronise', task: 99 });
    await ended(rig, 'red');
    expect(window(rig)).toMatchObject({ text: 'There is no task 99.' });
    await rig.pass(10_000);
    expect(window(rig)).toMatchObject({ colour: 'red' });
    expect(rig.terminal(PORTABLE).press({ button: 'close' }).window).toBeUndefined();
    expect(await types(rig)).toContain('sync.refused');
  },
  IN_MEMORY,
);

behaviour(
  'P5 a download over unsent changes waits for a confirmation, which is in the audit trail; the changes are gone',
  async (rig) => {
    await synced(rig);
    const terminal = rig.terminal(PORTABLE);
    logIn(rig);
    terminal.enrol({ user: 301, groups: [TASK_GROUP], fingers: 1 });
    expect(() => terminal.press({ button: 'sync', mode: 'download' })).toThrow('not sent');
    expect(window(rig)).toMatchObject({ kind: 'confirm-loss', unsent: 1 });
    terminal.press({ button: 'confirm' });
    await ended(rig, 'green');
    expect(held(rig)).toEqual(SLICE);
    expect(await rig.gateway.store.user(301)).toBeUndefined();
    const forgets = (await rig.events()).filter(({ type }) => type === 'terminal.sync.forgets');
    expect(forgets).toMatchObject([{ data: { operator: MIRA.id } }]);
  },
  IN_MEMORY,
);

behaviour(
  'P10 cancelled in the middle of a download, by the operator or at the gateway, it holds what it held',
  async (rig) => {
    await synced(rig);
    const terminal = rig.terminal(PORTABLE);
    const before = terminal.tableDigest;
    const cancels: Readonly<Record<string, () => unknown>> = {
      operator: () => terminal.press({ button: 'cancel' }),
      gateway: () => rig.gateway.tasks.cancel(PORTABLE, 'Ada'),
    };
    for (const [by, cancel] of Object.entries(cancels)) {
      for (const id of SLICE.slice(0, 20))
        await during(rig, 'an edit', rig.gateway.operations.editUser(id, { set: fingersAnew(), clear: [] }));
      logIn(rig);
      const sent = sentTo(rig);
      terminal.press({ button: 'sync', mode: 'synchronise' });
      await rig.until('half of it has crossed', () => sent() > 15_000);
      const cancelled = cancel();
      await rig.until(`the sync cancelled by the ${by} is over`, async () => {
        const [sync] = await rig.gateway.tasks.syncs({ terminal: PORTABLE, limit: 1 });
        return sync?.state === 'cancelled' && window(rig)?.kind !== 'progress';
      });
      await cancelled;
      expect(terminal.tableDigest, by).toBe(before);
      terminal.press({ button: 'close' });
      terminal.press({ button: 'log-out' });
    }
    logIn(rig);
    terminal.press({ button: 'sync', mode: 'synchronise' });
    await ended(rig, 'green');
    expect(terminal.tableDigest).not.toBe(before);
  },
  IN_MEMORY,
);

behaviour(
  'P10 P12 pulled out, or without power, it holds what it held; put back it goes on without sending again what had arrived',
  async (rig) => {
    const task = await site(rig, HALF);
    const terminal = rig.terminal(PORTABLE);
    const breaks: readonly (() => Promise<void>)[] = [
      async () => {
        await undock(rig);
        await rig.pass(3_000);
        expect(window(rig)).toMatchObject({ kind: 'progress' });
        await dock(rig);
      },
      async () => {
        terminal.reboot();
        await rig.until('it has started', () => terminal.power === 'on');
      },
      () => rig.restartGateway(),
    ];
    logIn(rig);
    const empty = terminal.tableDigest;
    const sent = sentTo(rig);
    terminal.press({ button: 'sync', mode: 'synchronise', task });
    for (const [index, happens] of breaks.entries()) {
      await rig.until('some more has crossed', () => sent() > 9_000 * (index + 1));
      expect(terminal.tableDigest).toBe(empty);
      await happens();
    }
    await ended(rig, 'green');
    expect(held(rig)).toEqual(HALF);
    // 20 users of 1.6 KB each, once, and what was on its way at each break.
    expect(sent()).toBeLessThan(1.5 * HALF.length * 1_650);
    expect((await types(rig)).filter((type) => type === 'sync.done')).toHaveLength(1);
  },
  { plan: PLAN, on: ['memory', 'pty'] },
);

behaviour(
  'P10 P12 a complete slice that was not swapped in when the power went is swapped in afterwards, not forgotten',
  async (rig) => {
    const task = await site(rig);
    const terminal = rig.terminal(PORTABLE);
    logIn(rig);
    const before = terminal.tableDigest;
    const unwatch = rig.gateway.tasks.watch(({ progress }) => {
      if (progress?.stage === 'storing') terminal.powerOff();
    });
    terminal.press({ button: 'sync', mode: 'synchronise', task });
    await rig.until('it lost power', () => terminal.power === 'off');
    unwatch();
    terminal.powerOn();
    await rig.until('it has started', () => terminal.power === 'on');
    expect(terminal.tableDigest).toBe(before);
    await ended(rig, 'green');
    expect(held(rig)).toEqual(SLICE);
  },
  IN_MEMORY,
);

const random = seededRandom(17);

function fingersAnew(): Pick<User, 'finger.0'> {
  return { 'finger.0': { format: 1, quality: 90, first: random.bytes(384), second: random.bytes(384) } };
}
