import { FACE_MAX_BYTES } from '@whorl/protocol';
import { QUIRK_NAMES } from '@whorl/device-emulator';
import type { QuirkName } from '@whorl/device-emulator';
import { describe, expect, onTestFinished, test } from 'vitest';
import { allOnline, atRest, digestsOf, verifiedOn } from '../rig/behaviour.ts';
import { memoryRig } from '../rig/memory.ts';
import type { MemoryRig } from '../rig/memory.ts';
import type { RigPlan, RigTerminal } from '../rig/rig.ts';
import { during } from '../rig/settled.ts';

const ODD = 'terminal-2';
const ALL = ['terminal-1', ODD, 'terminal-3'];
const CLOCK_TOLERANCE_MS = 60_000;

/** Three terminals, of which one is odd. */
function siteWith(odd: Partial<RigTerminal>): RigPlan {
  return {
    lines: { floor: [{ name: 'terminal-1' }, { name: ODD, ...odd }], gate: [{ name: 'terminal-3' }] },
  };
}

async function rigWith(odd: Partial<RigTerminal>): Promise<MemoryRig> {
  const rig = await memoryRig(siteWith(odd));
  onTestFinished(() => rig.close());
  await allOnline(rig);
  return rig;
}

async function restarts(rig: MemoryRig): Promise<void> {
  const greeted = await greetings(rig);
  rig.terminal(ODD).reboot();
  await rig.until('it is greeted again', async () => (await greetings(rig)) > greeted);
  await allOnline(rig);
}

async function greetings(rig: MemoryRig): Promise<number> {
  return (await rig.events()).filter(({ type, terminal }) => type === 'terminal.online' && terminal === ODD)
    .length;
}

const compared = (rig: MemoryRig, take: Side = 'both') =>
  during(rig, 'compared', rig.gateway.operations.compare(ODD, { take }));

type Side = 'gateway' | 'terminal' | 'both';

describe('E1 E4 a gateway copes with terminals that are not as they should be', () => {
  test.each(QUIRK_NAMES)('E1 %s: enrolments go both ways, before and after a restart', async (quirk) => {
    const rig = await rigWith({ quirks: [quirk] });
    const { operations } = rig.gateway;
    await operations.addUser(10, { set: { name: 'Ada' }, clear: [] });
    await verifiedOn(rig, 10, ALL);
    rig.terminal(ODD).enrol({ user: 20, name: 'Bea', fingers: 3 });
    await verifiedOn(rig, 20, ALL);
    await rig.pass(2_000);
    await restarts(rig);
    rig.terminal('terminal-1').enrol({ user: 30, name: 'Cyd', finger: 1 });
    await verifiedOn(rig, 30, ALL);
    rig.terminal(ODD).enrol({ user: 40, name: 'Dan', finger: 4 });
    await verifiedOn(rig, 40, ALL);
    for (const user of [10, 20, 30, 40]) expect(digestsOf(rig, user).size).toBe(1);
  });

  test('E1 an old firmware with a small frame, without patches, sketches and broadcasts is served like the others', async () => {
    const rig = await rigWith({ firmware: '1.2.0' });
    rig.terminal('terminal-1').enrol({ user: 1, name: 'Ada', fingers: 10 });
    await verifiedOn(rig, 1, ALL);
    rig.terminal(ODD).enrol({ user: 1, card: 0 });
    await rig.until(
      'the card everywhere',
      () => rig.terminal('terminal-3').user(1)?.['card.0'] !== undefined,
    );
    await verifiedOn(rig, 1, ALL);
    expect(digestsOf(rig, 1).size).toBe(1);
    await rig.gateway.operations.editUser(1, { set: { name: 'Ada Lovelace' }, clear: [] });
    await verifiedOn(rig, 1, ALL);
    expect(rig.terminal(ODD).user(1)?.name).toBe('Ada Lovelace');
  });

  test('E1 clock-forgotten: the clock is told as wrong and set after each power failure', async () => {
    const rig = await rigWith({ quirks: ['clock-forgotten'] });
    await rig.until(
      'its clock set',
      () => Math.abs(rig.terminal(ODD).shown - rig.clock.wallTime()) < CLOCK_TOLERANCE_MS,
    );
    await restarts(rig);
    await rig.until(
      'its clock set again',
      () => Math.abs(rig.terminal(ODD).shown - rig.clock.wallTime()) < CLOCK_TOLERANCE_MS,
    );
    const told = (await rig.events()).filter((event) => event.type === 'terminal.clock.wrong');
    expect(told.every(({ terminal }) => terminal === ODD)).toBe(true);
    expect(told.length).toBeGreaterThan(0);
  });

  test('E1 names-cut: it fails with its reason in a bounded number of tries, and stops nobody else', async () => {
    const rig = await rigWith({ quirks: ['names-cut'] });
    await rig.gateway.operations.addUser(1, {
      set: { name: 'Augusta Ada King, Countess of Lovelace' },
      clear: [],
    });
    await verifiedOn(rig, 1, ['terminal-1', 'terminal-3']);
    await rig.pass(60 * 60_000);
    const [row] = await rig.gateway.store.ledger({ user: 1, terminal: ODD, limit: 1 });
    expect(row).toMatchObject({ state: 'failed', reason: 'corrupt' });
    expect(row?.nextTry).toBeUndefined();
    expect(rig.terminal(ODD).user(1)?.name).toBe('Augusta Ada King');
  });

  test('E1 no-sketch: it is compared by listing its users', async () => {
    const rig = await rigWith({ quirks: ['no-sketch'] });
    for (const user of [1, 2, 3]) rig.terminal('terminal-1').enrol({ user, finger: 0 });
    for (const user of [1, 2, 3]) await verifiedOn(rig, user, ALL);
    rig.terminal(ODD).unload([2]);
    await rig.pass(2_000);
    expect(await compared(rig)).toMatchObject({ missing: [2] });
    await verifiedOn(rig, 2, ALL);
  });

  test('E1 pin-edits-unlogged: a PIN changed there is found when it is compared, and goes everywhere or to a person', async () => {
    const rig = await rigWith({ quirks: ['pin-edits-unlogged'] });
    rig.terminal(ODD).enrol({ user: 1, name: 'Ada', finger: 0 });
    await verifiedOn(rig, 1, ALL);
    rig.terminal(ODD).edit({ user: 1, set: { pin: new Uint8Array(32).fill(7) } });
    await rig.pass(10_000);
    expect(rig.terminal('terminal-1').user(1)?.pin).toBeUndefined();
    expect(await compared(rig, 'terminal')).toMatchObject({ different: [1] });
    await rig.until('the PIN everywhere', () => rig.terminal('terminal-1').user(1)?.pin !== undefined);
    await verifiedOn(rig, 1, ALL);
    expect(digestsOf(rig, 1).size).toBe(1);
  });

  test('E1 attention-sticks: it is read without end, and takes the line from nobody', async () => {
    const busy = async (quirks: readonly QuirkName[]): Promise<number> => {
      const rig = await rigWith({ quirks });
      await atRest(rig);
      const before = rig.media.get('floor')?.counters.busyMs ?? 0;
      await rig.pass(10_000);
      rig.terminal('terminal-1').enrol({ user: 1, fingers: 2 });
      await verifiedOn(rig, 1, ALL, 5_000);
      return (rig.media.get('floor')?.counters.busyMs ?? 0) - before;
    };
    expect(await busy(['attention-sticks'])).toBeGreaterThan(await busy([]));
  });

  test('E3 log-counter-late: enrolments whose log records were lost unread are found when it is compared', async () => {
    const rig = await rigWith({ quirks: ['log-counter-late'] });
    await rig.unplug('floor');
    for (const user of [51, 52, 53]) rig.terminal(ODD).enrol({ user, name: `User ${user}`, finger: 1 });
    rig.terminal(ODD).reboot();
    await rig.until('it has started', () => rig.terminal(ODD).power === 'on');
    await rig.plug('floor');
    await allOnline(rig);
    await compared(rig);
    for (const user of [51, 52, 53]) await verifiedOn(rig, user, ALL);
  });

  test.each(['flash-half-written', 'flash-loses-last', 'flash-old-returns'] as const)(
    'E3 %s: what a power failure tore is found when it is compared, and nobody is lost',
    async (quirk) => {
      const rig = await rigWith({ quirks: [quirk] });
      const { operations } = rig.gateway;
      rig.terminal('terminal-1').enrol({ user: 1, name: 'Ada', fingers: 2 });
      await verifiedOn(rig, 1, ALL);
      await rig.pass(2_000);
      await operations.editUser(1, { set: { name: 'Ada Lovelace' }, clear: [] });
      await verifiedOn(rig, 1, ALL);
      const right = rig.terminal('terminal-1').users().get(1);
      expect(rig.terminal(ODD).users().get(1)).toBe(right);
      await restarts(rig);
      expect(rig.terminal(ODD).users().get(1)).not.toBe(right);
      await compared(rig);
      await rig.until('it is as it was', () => rig.terminal(ODD).users().get(1) === right);
      await verifiedOn(rig, 1, ALL);
      expect(rig.terminal('terminal-3').users().get(1)).toBe(right);
    },
  );
});

test('E1 a user with a face of 80 KB goes from a terminal to the gateway and to another terminal', async () => {
  const face = { model: 'face-100k' } as const;
  const rig = await memoryRig({
    lines: { gate: [{ name: 'terminal-1', ...face }], hall: [{ name: 'terminal-2', ...face }] },
  });
  onTestFinished(() => rig.close());
  await allOnline(rig);
  rig.terminal('terminal-1').enrol({ user: 1, name: 'Ada', face: 0 });
  await verifiedOn(rig, 1, ['terminal-1', 'terminal-2'], 60_000);
  const there = rig.terminal('terminal-2').user(1)?.['face.0'];
  expect(there?.template).toHaveLength(FACE_MAX_BYTES);
  expect(there).toEqual(rig.terminal('terminal-1').user(1)?.['face.0']);
});
