import { expect } from 'vitest';
import { FIELDS, recordOf } from '@whorl/protocol';
import { ALL, atRest, behaviour, digestsOf, verifiedOn } from '../rig/behaviour.ts';
import type { Rig } from '../rig/rig.ts';

/** So often a terminal is asked who it is before it is taken for silent. */
const TRIES_OF_A_GREETING = 3;

behaviour(
  'a user that several terminals of a line need crosses it once',
  async (rig) => {
    const counters = (): number => rig.media.get('floor')?.counters.bytesToTerminals ?? 0;
    rig.terminal('terminal-5').enrol({ user: 7, name: 'Ada', fingers: 10 });
    const before = counters();
    await verifiedOn(rig, 7, ALL);
    const bytes = rig.terminal('terminal-1').record(7);
    const size = [...(bytes?.fields.values() ?? [])].reduce((sum, value) => sum + value.length, 0);
    expect(counters() - before).toBeGreaterThan(size);
    expect(counters() - before).toBeLessThan(1.5 * size);
  },
  { on: ['memory', 'pty'] },
);

behaviour(
  'B10 what some of them missed is sent again, and all hold the same in the end, in noise too',
  async (rig) => {
    rig.media.get('floor')?.setBitErrors(1 / 40_000);
    for (let user = 1; user <= 5; user += 1) rig.terminal('terminal-5').enrol({ user, fingers: 10 });
    for (let user = 1; user <= 5; user += 1) await verifiedOn(rig, user, ALL, 600_000);
    for (let user = 1; user <= 5; user += 1) expect(digestsOf(rig, user).size).toBe(1);
  },
  { on: ['memory'] },
);

behaviour(
  'B10 one of them that loses its power meanwhile keeps nobody waiting, and gets it later',
  async (rig) => {
    rig.terminal('terminal-5').enrol({ user: 7, fingers: 10 });
    await rig.until(
      'the first of it on the line',
      () => (rig.media.get('floor')?.counters.bytesToTerminals ?? 0) > 4_000,
    );
    rig.terminal('terminal-2').powerOff();
    await verifiedOn(
      rig,
      7,
      ALL.filter((name) => name !== 'terminal-2'),
    );
    rig.terminal('terminal-2').powerOn();
    await verifiedOn(rig, 7, ALL);
    expect(digestsOf(rig, 7).size).toBe(1);
  },
  { on: ['memory'] },
);

behaviour(
  'B10 one that is not paired keeps nobody of its line waiting, though its first greeting was lost',
  async (rig) => {
    const stranger = rig.terminal('terminal-2');
    const others: readonly string[] = ALL.filter((name) => name !== 'terminal-2');
    await rig.unplug('floor');
    stranger.factoryReset();
    let lost = 0;
    rig.media.get('floor')?.troubleAt(stranger, {
      hears: (frame) => ((lost += 1) > TRIES_OF_A_GREETING ? frame : undefined),
    });
    await rig.plug('floor');
    await rig.until('all greeted', async () => {
      const { terminals } = await rig.gateway.operations.status();
      return terminals.every(
        ({ name, state }) => state === (others.includes(name) ? 'online' : 'quarantined'),
      );
    });
    expect(lost).toBeGreaterThan(TRIES_OF_A_GREETING);
    rig.terminal('terminal-5').enrol({ user: 7, name: 'Ada', fingers: 2 });
    await verifiedOn(rig, 7, others, 5_000);
  },
  { on: ['memory'] },
);

behaviour(
  'B1 G7 a user who does not belong on every terminal of a line crosses it once, and only those it is for can read it',
  async (rig) => {
    await rig.gateway.operations.changeSettings({ autoSync: 'access-groups' });
    const counters = (): number => rig.media.get('floor')?.counters.bytesToTerminals ?? 0;
    const before = counters();
    rig.terminal('terminal-5').enrol({ user: 7, name: 'Ada', groups: [1], fingers: 10 });
    await verifiedOn(rig, 7, ['terminal-1', 'terminal-2', 'terminal-5']);
    expect(counters() - before).toBeLessThan(1.5 * sizeOf(rig, 7));
    for (const name of ['terminal-3', 'terminal-4']) {
      const terminal = rig.terminal(name);
      expect(terminal.counters.broadcasts).toBeGreaterThan(0);
      expect(terminal.users().size).toBe(0);
      expect(terminal.staged).toBe(0);
    }
    expect(digestsOf(rig, 7).size).toBe(1);
  },
  { on: ['memory', 'pty'] },
);

behaviour(
  'B14 of a user who got one more finger only that finger crosses a line, from the terminal and to the others',
  async (rig) => {
    rig.terminal('terminal-1').enrol({ user: 7, name: 'Ada', fingers: 9 });
    await verifiedOn(rig, 7, ALL);
    await atRest(rig);
    const medium = rig.media.get('floor');
    const bytes = (): number =>
      (medium?.counters.bytesToTerminals ?? 0) + (medium?.counters.bytesToGateway ?? 0);
    const before = bytes();
    rig.terminal('terminal-1').enrol({ user: 7, finger: 9 });
    const finger = FIELDS['finger.9'].number;
    await rig.until('the finger everywhere', () =>
      ALL.every((name) => rig.terminal(name).record(7)?.fields.has(finger) === true),
    );
    await verifiedOn(rig, 7, ALL);
    // Once from the terminal, once to the others, on TCP once to each of them; the whole user is ten times as large.
    expect(bytes() - before).toBeLessThan((rig.kind === 'tcp' ? 0.6 : 0.4) * sizeOf(rig, 7));
    await atRest(rig);
    expect(digestsOf(rig, 7).size).toBe(1);
  },
  { on: ['memory', 'pty', 'tcp'] },
);

behaviour(
  'B14 a terminal that holds another user than it seemed to is sent the whole user',
  async (rig) => {
    await rig.gateway.operations.addUser(7, { set: { name: 'Ada' }, clear: [] });
    await verifiedOn(rig, 7, ALL);
    const terminal = rig.terminal('terminal-2');
    // Behind the gateway's back, and without a log.
    terminal.load([recordOf(7, [[FIELDS.name.number, Buffer.from('Somebody else')]])]);
    await rig.gateway.operations.editUser(7, { set: { groups: [3] }, clear: [] });
    await rig.until('the edit everywhere', () =>
      ALL.every((name) => rig.terminal(name).user(7)?.groups?.includes(3) === true),
    );
    expect(terminal.user(7)?.name).toBe('Ada');
    expect(digestsOf(rig, 7).size).toBe(1);
  },
  { on: ['memory', 'tcp'] },
);

function sizeOf(rig: Rig, user: number): number {
  const fields = rig.terminal('terminal-1').record(user)?.fields.values() ?? [];
  return [...fields].reduce((sum, value) => sum + value.length, 0);
}
