import { addressOf } from '@whorl/device-emulator';
import {
  decodeUser,
  encodeUser,
  FIELDS,
  FrameSplitter,
  isShort,
  readRecord,
  unstuff,
  writeRecord,
} from '@whorl/protocol';
import { expect } from 'vitest';
import { fingerUser } from '../bench/users.ts';
import { behaviour, verifiedOn } from '../rig/behaviour.ts';
import { LOG_IN, MIRA, newestSync, northGate, PORTABLE_SITE, syncNow, syncOver } from '../rig/portable.ts';
import { during } from '../rig/settled.ts';
import type { Rig } from '../rig/rig.ts';

const OPTIONS = { plan: PORTABLE_SITE, on: ['memory'] } as const;

async function addUsers(rig: Rig, from: number, count: number, groups: number[] = [1]): Promise<void> {
  for (let id = from; id < from + count; id += 1) {
    const { id: _, ...set } = fingerUser(id);
    await rig.gateway.operations.addUser(id, { set: { ...set, groups }, clear: [] });
  }
}

function heldIds(rig: Rig): number[] {
  return [...rig.terminal('handheld').users().keys()];
}

/** Bytes that cross the dock's line from now on, both ways, without those that an idle line has too. */
function crossed(rig: Rig): () => number {
  let bytes = 0;
  const splitters = { true: new FrameSplitter(), false: new FrameSplitter() };
  rig.media.get('dock')?.tap((piece, fromGateway) => {
    splitters[`${fromGateway}`].push(piece, (stuffed) => {
      const idle = addressOf(stuffed) === 0 || isShort(unstuff(stuffed));
      if (!idle) bytes += stuffed.length + 1;
    });
  });
  return () => bytes;
}

behaviour(
  'P2 P4 a synchronise brings the slice, and nothing of others; ordinary sync leaves the terminal alone',
  async (rig) => {
    await addUsers(rig, 1, 5);
    await addUsers(rig, 10, 3, [2]);
    const task = await northGate(rig, {
      slice: { who: { by: 'groups', groups: [1] }, only: ['finger'], without: ['finger.1'] },
    });
    await verifiedOn(rig, 1, ['door']);
    expect(heldIds(rig)).toEqual([]);
    expect(await syncNow(rig, task)).toMatchObject({ state: 'done', users: 5, downloaded: 5 });
    expect(heldIds(rig)).toEqual([1, 2, 3, 4, 5]);
    expect([...(rig.terminal('handheld').record(1)?.fields.keys() ?? [])]).toEqual([
      FIELDS.name.number,
      FIELDS['finger.0'].number,
    ]);
    await rig.gateway.operations.deleteUser(2);
    await rig.gateway.operations.editUser(3, { set: { groups: [2] }, clear: [] });
    await rig.pass(2000);
    expect(heldIds(rig)).toEqual([1, 2, 3, 4, 5]);
    expect(await syncNow(rig, task)).toMatchObject({ state: 'done', users: 3, downloaded: 0, removed: 2 });
    expect(heldIds(rig)).toEqual([1, 4, 5]);
  },
  OPTIONS,
);

behaviour(
  'P2 a terminal that is not tied to a task is refused, at its display too, and the refusal is an event',
  async (rig) => {
    const task = await northGate(rig);
    await addUsers(rig, 1, 2);
    rig.terminal('handheld').press(LOG_IN);
    await rig.gateway.tasks.changeTask(task, { validUntil: 1 });
    rig.terminal('handheld').press({ button: 'sync', mode: 'synchronise', task });
    const refused = await syncOver(rig, 1);
    const text = 'North gate was valid until 1970-01-01 00:00 UTC.';
    expect(refused).toMatchObject({ state: 'refused', reason: text });
    const { window } = rig.terminal('handheld').display;
    expect(window).toMatchObject({ kind: 'message', colour: 'red', text });
    const events = await rig.events();
    const told = events.find(({ type }) => type === 'sync.refused');
    expect(told).toMatchObject({
      terminal: 'handheld',
      data: { task, operator: MIRA.id, code: 'task-over' },
    });
    expect(heldIds(rig)).toEqual([]);
  },
  OPTIONS,
);

behaviour(
  'P3 P6 what is sent is merged, attributed to task, terminal and operator, and goes to the doors; sending alone downloads nothing',
  async (rig) => {
    const task = await northGate(rig);
    await addUsers(rig, 1, 2);
    await syncNow(rig, task);
    const handheld = rig.terminal('handheld');
    handheld.press({ button: 'mode', mode: 'offline' });
    handheld.enrol({ user: 50, finger: 0 });
    handheld.edit({ user: 1, set: { name: 'Ada at the gate' } });
    await addUsers(rig, 20, 3);
    handheld.press({ button: 'mode', mode: 'online' });
    expect(await syncNow(rig, task, { mode: 'send' })).toMatchObject({
      ...{ state: 'done', mode: 'send', merged: 1, conflicts: 1, downloaded: 0, operator: MIRA.id },
    });
    expect(heldIds(rig)).toEqual([1, 2, 50]);
    expect(handheld.display.unsent).toEqual([]);
    expect(handheld.display.answers.map(({ user, result }) => [user, result])).toEqual([
      [50, 'merged'],
      [1, 'conflict'],
    ]);
    const user = await rig.gateway.store.user(50);
    const by = { origin: 'terminal', terminal: 'handheld', task, operator: MIRA.id };
    expect([...(user?.provenance.values() ?? [])][0]).toMatchObject(by);
    expect(await rig.gateway.operations.conflicts({ limit: 10 })).toMatchObject([{ user: 1, kind: 'name' }]);
    await verifiedOn(rig, 50, ['door']);
    // Who brought it is told with the conflict, and the operator of the gateway can take it.
    await rig.gateway.operations.decideConflicts({}, 'theirs');
    expect((await userOf(rig, 1)).name).toBe('Ada at the gate');
  },
  OPTIONS,
);

behaviour(
  'P6 B16 what is sent of somebody else under a number stays, though the terminal has it no more; what is decided is not pushed there',
  async (rig) => {
    await addUsers(rig, 300, 1, [2]);
    const task = await northGate(rig);
    const { operations, store } = rig.gateway;
    const handheld = rig.terminal('handheld');
    await syncNow(rig, task);
    for (const finger of [0, 1]) {
      handheld.press({ button: 'mode', mode: 'offline' });
      handheld.enrol({ user: 300, finger });
      handheld.press({ button: 'mode', mode: 'online' });
      expect(await syncNow(rig, task)).toMatchObject({ state: 'done', conflicts: 1 });
      expect(heldIds(rig)).toEqual([]);
    }
    const theirs = (await store.conflictsOf(300)).map((one) => [...one.theirs.record.fields.keys()]);
    expect(theirs.sort()).toEqual([[FIELDS['finger.0'].number], [FIELDS['finger.1'].number]]);
    await operations.decideConflicts({}, 'ours');
    const ledger = await store.ledger({ user: 300, limit: 10 });
    expect(ledger.map(({ terminal }) => terminal)).not.toContain('handheld');
  },
  OPTIONS,
);

behaviour(
  'P4 B10 B13 who is given a number anew is not taken to be where who had it before still is; the next download brings them',
  async (rig) => {
    const { operations, store, tasks } = rig.gateway;
    const task = await northGate(rig);
    const atHandheld = async (): Promise<unknown> =>
      (await store.ledger({ user: 1, limit: 10 })).find(({ terminal }) => terminal === 'handheld');
    await addUsers(rig, 1, 1);
    await syncNow(rig, task);
    expect(await atHandheld()).toMatchObject({ state: 'verified', version: 1, delivered: 1 });
    await operations.deleteUser(1);
    await operations.addUser(1, { set: { name: 'Eve', groups: [1] }, clear: [] });
    expect((await store.user(1))?.version).toBe(1);
    expect(await atHandheld()).toMatchObject({ version: 0, delivered: 0 });
    const look = await during(rig, 'previewed', tasks.preview(task, 'handheld', { limit: 10 }));
    expect(look).toMatchObject({ changed: 1, same: 0 });
    expect(await syncNow(rig, task)).toMatchObject({ state: 'done', downloaded: 1 });
    expect(rig.terminal('handheld').user(1)?.name).toBe('Eve');
    expect(await atHandheld()).toMatchObject({ state: 'verified', version: 1, delivered: 1 });
  },
  OPTIONS,
);

behaviour(
  'P4 B10 nor who is given it while who had it before is on the way there',
  async (rig) => {
    const { operations, store, tasks } = rig.gateway;
    const task = await northGate(rig);
    await addUsers(rig, 1, 2);
    let again: Promise<unknown> | undefined;
    const anew = async (): Promise<void> => {
      await operations.deleteUser(1);
      await operations.addUser(1, { set: { name: 'Eve', groups: [1] }, clear: [] });
    };
    const end = tasks.watch(({ progress }) => {
      if (progress?.stage === 'storing') again ??= anew();
    });
    expect(await syncNow(rig, task)).toMatchObject({ state: 'done', downloaded: 2 });
    end();
    await again;
    expect(rig.terminal('handheld').user(1)?.name).not.toBe('Eve');
    const rows = await store.ledger({ terminal: 'handheld', limit: 10 });
    expect(rows.map(({ user, version, delivered }) => [user, version, delivered])).toEqual([
      [1, 0, 0],
      [2, 1, 1],
    ]);
    expect(await syncNow(rig, task)).toMatchObject({ state: 'done', downloaded: 1 });
    expect(rig.terminal('handheld').user(1)?.name).toBe('Eve');
  },
  OPTIONS,
);

behaviour(
  'P6 B16 what is enrolled on top of who had the number before is not merged into who has it now',
  async (rig) => {
    const { operations, store } = rig.gateway;
    const task = await northGate(rig);
    await addUsers(rig, 1, 1);
    await syncNow(rig, task);
    await operations.deleteUser(1);
    await operations.addUser(1, { set: { name: 'Eve', groups: [1] }, clear: [] });
    rig.terminal('handheld').press({ button: 'mode', mode: 'offline' });
    rig.terminal('handheld').enrol({ user: 1, finger: 5 });
    rig.terminal('handheld').press({ button: 'mode', mode: 'online' });
    expect(await syncNow(rig, task)).toMatchObject({ state: 'done', conflicts: 1 });
    expect((await store.conflictsOf(1)).map(({ kind }) => kind)).toEqual(['two-people']);
    expect((await store.user(1))?.record.fields.has(FIELDS['finger.5'].number)).toBe(false);
  },
  OPTIONS,
);

behaviour(
  'P3 B11 a terminal whose log is cleared before it was read that it wants to sync does so all the same',
  async (rig) => {
    const task = await northGate(rig);
    const handheld = rig.terminal('handheld');
    handheld.press(LOG_IN);
    handheld.press({ button: 'sync', mode: 'synchronise', task });
    handheld.clearLog();
    expect(await syncOver(rig, 1)).toMatchObject({ state: 'done', task });
  },
  OPTIONS,
);

behaviour(
  'P3 sending alone brings no files either, whatever the options at the terminal say',
  async (rig) => {
    await rig.gateway.tasks.saveFile({ name: 'back.jpg', kind: 'wallpaper', bytes: new Uint8Array(900) });
    const task = await northGate(rig, { files: ['back.jpg'] });
    const handheld = rig.terminal('handheld');
    handheld.press(LOG_IN);
    handheld.press({ button: 'options', files: true });
    expect(await syncNow(rig, task, { mode: 'send' })).toMatchObject({ state: 'done', bytes: 0 });
    expect(await syncNow(rig, task, { mode: 'send', files: true })).toMatchObject({
      state: 'done',
      bytes: 0,
    });
    expect(handheld.display.files).toEqual([]);
    expect(await syncNow(rig, task)).toMatchObject({ state: 'done', bytes: 900 });
  },
  OPTIONS,
);

behaviour(
  'P11 files of the task come after the data, and those that are not the task’s any more go',
  async (rig) => {
    const { tasks } = rig.gateway;
    const plan = new Uint8Array(70_000).map((_, index) => index * 7);
    await tasks.saveFile({ name: 'floor.png', kind: 'floor-plan', bytes: plan });
    await tasks.saveFile({ name: 'back.jpg', kind: 'wallpaper', bytes: plan.subarray(0, 900) });
    const task = await northGate(rig, { files: ['floor.png', 'back.jpg'] });
    const whole = await syncNow(rig, task, { files: true });
    expect(whole).toMatchObject({ state: 'done', bytes: 70_900 });
    const shown = (): (string | number)[][] =>
      rig.terminal('handheld').display.files.map(({ name, stored }) => [name, stored]);
    expect(shown().sort()).toEqual([
      ['back.jpg', 900],
      ['floor.png', 70_000],
    ]);
    await tasks.changeTask(task, { files: ['back.jpg'] });
    expect(await syncNow(rig, task, { files: true })).toMatchObject({ state: 'done' });
    expect(shown()).toEqual([['back.jpg', 900]]);
  },
  OPTIONS,
);

behaviour(
  'P3 a synchronise with nothing new takes less than 300 bytes',
  async (rig) => {
    const task = await northGate(rig);
    await addUsers(rig, 1, 20);
    await syncNow(rig, task);
    // What the terminal logged of the download itself is read with the next.
    await syncNow(rig, task);
    await rig.pass(10_000);
    const bytes = crossed(rig);
    expect(await syncNow(rig, task)).toMatchObject({ state: 'done', downloaded: 0 });
    expect(bytes()).toBeLessThan(300);
  },
  OPTIONS,
);

behaviour(
  'P10 what the gateway cancels leaves the terminal as it was, and it can sync again',
  async (rig) => {
    const task = await northGate(rig);
    await addUsers(rig, 1, 3);
    await syncNow(rig, task);
    await addUsers(rig, 100, 200);
    const before = rig.terminal('handheld').tableDigest;
    rig.terminal('handheld').press({ button: 'sync', mode: 'synchronise', task });
    await rig.until('the download', async () => ((await newestSync(rig))?.progress?.bytes ?? 0) > 0);
    await rig.gateway.tasks.cancel('handheld', 'ada');
    expect(await syncOver(rig, 2)).toMatchObject({ state: 'cancelled' });
    expect(rig.terminal('handheld').tableDigest).toBe(before);
    const told = (await rig.events()).find(({ type }) => type === 'sync.cancelled');
    expect(told).toMatchObject({ data: { by: 'ada' } });
    expect(await syncNow(rig, task)).toMatchObject({ state: 'done', users: 203 });
  },
  OPTIONS,
);

behaviour(
  'P12 a session goes on where the gateway’s restart broke it off, and is one session',
  async (rig) => {
    const task = await northGate(rig);
    await addUsers(rig, 1, 200);
    const size = [...Array(200).keys()].reduce(
      (sum, id) => sum + encodeUser({ ...fingerUser(id + 1), groups: [1] }).length,
      0,
    );
    const bytes = crossed(rig);
    rig.terminal('handheld').press(LOG_IN);
    rig.terminal('handheld').press({ button: 'sync', mode: 'synchronise', task });
    await rig.until('most of it across', () => bytes() > 0.8 * size);
    await rig.restartGateway();
    expect(await syncOver(rig, 1)).toMatchObject({ id: 1, state: 'done', users: 200 });
    expect(bytes()).toBeLessThan(1.15 * size);
    expect(rig.terminal('handheld').record(7)).toEqual(readRecord(encodeUser({ ...(await userOf(rig, 7)) })));
  },
  OPTIONS,
);

behaviour(
  'P5 a download over unsent changes needs the operator’s yes, and forgets them',
  async (rig) => {
    const task = await northGate(rig);
    await addUsers(rig, 1, 2);
    await syncNow(rig, task);
    const handheld = rig.terminal('handheld');
    handheld.press(LOG_IN);
    handheld.enrol({ user: 50, finger: 0 });
    expect(() => handheld.press({ button: 'sync', mode: 'download', task })).toThrow('would be lost');
    handheld.press({ button: 'confirm' });
    expect(await syncOver(rig, 2)).toMatchObject({ state: 'done', forget: true, merged: 0, users: 2 });
    expect(heldIds(rig)).toEqual([1, 2]);
    expect(await rig.gateway.store.user(50)).toBeUndefined();
    const began = (await rig.events()).filter(({ type }) => type === 'sync.began').at(-1);
    expect(began).toMatchObject({ data: { forgets: true, operator: MIRA.id } });
  },
  OPTIONS,
);

behaviour(
  'P1 P7 P10 P12 a day: enrolled offline, docked, cancelled, docked again, a power cut, and in the morning all doors know them',
  async (rig) => {
    const task = await northGate(rig);
    await addUsers(rig, 1, 10);
    await syncNow(rig, task);
    const handheld = rig.terminal('handheld');
    handheld.press(LOG_IN);
    handheld.press({ button: 'mode', mode: 'offline' });
    for (let user = 100; user < 110; user += 1) handheld.enrol({ user, groups: [1], finger: 0 });
    handheld.press({ button: 'log-out' });
    const night = handheld.tableDigest;
    await addUsers(rig, 200, 100);
    handheld.setSupply(true);
    await rig.until('the session', async () => (await newestSync(rig))?.id === 2);
    handheld.press({ button: 'cancel' });
    await rig.until('it cancelled', async () => (await newestSync(rig))?.state === 'cancelled');
    expect(handheld.tableDigest).toBe(night);
    handheld.setSupply(false);
    if (handheld.display.window !== undefined) handheld.press({ button: 'close' });
    handheld.press(LOG_IN);
    handheld.press({ button: 'log-out' });
    handheld.setSupply(true);
    await rig.until('the download', async () => ((await newestSync(rig))?.downloaded ?? 0) > 0);
    handheld.powerOff();
    await rig.pass(500);
    handheld.powerOn();
    expect(await syncOver(rig, 3)).toMatchObject({ id: 3, state: 'done', automatic: true, users: 120 });
    expect(handheld.users().size).toBe(120);
    expect(handheld.display).toMatchObject({ unsent: [], mode: 'offline', operator: undefined });
    for (const user of [100, 109]) await verifiedOn(rig, user, ['door', 'handheld']);
    const merges = (await rig.events()).filter(
      ({ type, terminal }) => type === 'user.merged' && terminal === 'handheld',
    );
    expect(new Set(merges.map(({ user }) => user)).size).toBe(10);
    expect(merges).toHaveLength(10);
  },
  { ...OPTIONS, on: ['memory', 'pty'] },
);

async function userOf(rig: Rig, id: number): Promise<Parameters<typeof encodeUser>[0]> {
  const user = await rig.gateway.store.user(id);
  if (user === undefined) throw new Error(`no user ${id}`);
  return decodeUser(writeRecord(user.record));
}
