import { expect } from 'vitest';
import { ALL, behaviour, digestsOf, verifiedOn } from '../rig/behaviour.ts';

const FLOOR = ['terminal-1', 'terminal-2', 'terminal-3', 'terminal-4'];

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
  'B1 G7 a user who does not belong on every terminal of a line is said to none but those it is for',
  async (rig) => {
    await rig.gateway.operations.changeSettings({ autoSync: 'access-groups' });
    await rig.gateway.operations.addUser(7, { set: { name: 'Ada', groups: [1] }, clear: [] });
    await verifiedOn(rig, 7, ['terminal-1', 'terminal-2', 'terminal-5']);
    const others = FLOOR.filter((name) => name !== 'terminal-1' && name !== 'terminal-2');
    for (const name of others) {
      expect(rig.terminal(name).users().size).toBe(0);
      expect(rig.terminal(name).counters.broadcasts).toBe(0);
    }
  },
  { on: ['memory'] },
);
