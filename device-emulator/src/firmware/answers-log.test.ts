import { describe, expect, test } from 'vitest';
import { bench, PAIRING_KEY } from '../testing/bench.ts';
import { MODELS } from '../models/built-in.ts';
import { kinds } from '../testing/answers.ts';

describe('log', () => {
  test('E1 the attention bit says whether there is more than was read', () => {
    const { asker, terminal } = bench();
    asker.hello();
    expect(asker.attention).toBe(true);
    asker.ask('logs.read', { after: 1 });
    expect(asker.attention).toBe(false);
    terminal.tamper();
    asker.ask('poll', {});
    expect(asker.attention).toBe(true);
    asker.ask('logs.read', { after: 2 });
    asker.ask('poll', {});
    expect(asker.attention).toBe(false);
  });

  test('E1 what people do is logged with origin terminal, the credential in the detail', () => {
    const { asker, terminal } = bench();
    asker.hello();
    terminal.enrol({ user: 1042, name: 'Ada', finger: 3, card: 1 });
    terminal.edit({ user: 1042, set: { name: 'Ada L.' } });
    terminal.edit({ user: 1042, clear: ['finger.3'] });
    terminal.edit({ user: 1042, set: { name: 'Ada L.' } });
    terminal.tap({ user: 1042 });
    terminal.tap({ user: 1 });
    terminal.enrolFailed(8);
    terminal.tamper();
    terminal.remove(1042);
    const { records } = asker.get('logs.read', { after: 1 }, 'logs.page');
    expect(records.map(({ id }) => id)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(kinds(records)).toEqual([
      'user.enrolled terminal 1042 67',
      'user.enrolled terminal 1042 17',
      'user.edited terminal 1042 0',
      'user.edited terminal 1042 67',
      'access.granted terminal 1042 0',
      'access.denied terminal 1 0',
      'user.enrol.failed terminal 8 0',
      'terminal.tampered terminal 0 0',
      'user.deleted terminal 1042 0',
    ]);
  });

  test('B11 the ring forgets its oldest, and says from where on it knows', () => {
    const { asker, terminal } = bench({ capabilities: { logs: 10 } });
    asker.hello();
    for (let i = 0; i < 30; i += 1) terminal.tamper();
    const page = asker.get('logs.read', { after: 5 }, 'logs.page');
    expect(page.log).toMatchObject({ first: 22, last: 31 });
    expect(page.records.map(({ id }) => id)).toEqual([22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);
  });

  test('B11 a cleared log goes on counting, a factory reset begins another epoch', async () => {
    const { asker, terminal, clock } = bench();
    asker.hello();
    terminal.tamper();
    terminal.clearLog();
    expect(asker.get('logs.read', { after: 0 }, 'logs.page').log).toMatchObject({ first: 3, last: 3 });
    const { epoch } = terminal;
    terminal.enrol({ finger: 0 });
    terminal.factoryReset();
    await clock.run({ forMs: terminal.model.bootMs });
    expect(() => asker.hello()).toThrow('does not accept');
    terminal.setKey(PAIRING_KEY);
    const now = asker.hello();
    expect(now).toMatchObject({ users: 0, log: { first: 1, last: 1 } });
    expect(now.log.epoch).not.toBe(epoch);
    expect(now.boots).toBe(2);
  });

  test('E1 pages hold at most 50 records, and no more than a small frame takes', () => {
    for (const [model, most] of [
      [MODELS['finger-10k'], 50],
      [MODELS['card-500'], 11],
    ] as const) {
      const { asker, terminal } = bench({ model });
      asker.hello();
      for (let i = 0; i < 80; i += 1) terminal.tamper();
      const request = asker.frame('logs.read', { after: 0 });
      const [wire] = terminal.hear(request);
      expect(wire?.length).toBeLessThanOrEqual(model.capabilities.mtu);
      expect(asker.get('logs.read', { after: 0 }, 'logs.page').records).toHaveLength(most);
    }
  });

  test('E1 setting the clock answers with what it showed, and logs the step', () => {
    const { asker, clock, terminal } = bench();
    asker.hello();
    const before = clock.wallTime();
    expect(asker.get('clock.set', { clock: before + 90_000 }, 'clock.was')).toEqual({ clock: before });
    asker.get('clock.set', { clock: before + 90_000 }, 'clock.was');
    const { records } = asker.get('logs.read', { after: 1 }, 'logs.page');
    expect(kinds(records)).toEqual(['terminal.clock.set gateway 0 90']);
    expect(terminal.shown).toBe(before + 90_000);
  });

  test('E1 the clock can be read, of models that can tell it', () => {
    const { asker, clock, terminal } = bench();
    asker.hello();
    terminal.setClock(clock.wallTime() - 86_400_000);
    expect(asker.get('clock.read', {}, 'clock.is')).toEqual({ clock: clock.wallTime() - 86_400_000 });
    const older = bench({ model: MODELS['card-500'] });
    older.asker.hello();
    expect(older.asker.ask('clock.read', {})).toMatchObject({
      name: 'refused',
      body: { reason: 'unknown-message' },
    });
  });

  test('E4 a drifting clock runs at its own rate', async () => {
    const { clock, terminal } = bench();
    terminal.setClock(clock.wallTime(), 1000);
    await clock.run({ forMs: 3_600_000 });
    expect(terminal.shown - clock.wallTime()).toBe(3600);
  });
});
