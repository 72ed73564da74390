import { WhorlError } from '@whorl/protocol';
import { describe, expect, test } from 'vitest';
import { bench } from '../testing/bench.ts';
import { MODELS } from '../models/built-in.ts';

const codeFrom = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof WhorlError ? error.code : String(error);
  }
};

describe('enrolment', () => {
  test('E1 templates have the model’s format and size, and come from the seed', () => {
    const enrolled = (seed: number) => {
      const { terminal } = bench({ model: MODELS['face-100k'], seed });
      terminal.enrol({ user: 1, name: 'Ada', groups: [2, 1, 2], finger: 9, face: 4, card: 7 });
      return terminal.user(1);
    };
    const user = enrolled(1);
    expect(user).toMatchObject({
      name: 'Ada',
      groups: [1, 2],
      'finger.9': { format: 1 },
      'card.7': { format: 1 },
    });
    expect(user?.['finger.9']?.first).toHaveLength(384);
    expect(user?.['face.4']?.template).toHaveLength(MODELS['face-100k'].sizes.face);
    expect(user?.['card.7']?.number).toHaveLength(7);
    expect(enrolled(1)).toEqual(user);
    expect(enrolled(2)).not.toEqual(user);
  });

  test('E1 without an id the next one is taken, and more fingers join the user who is there', () => {
    const { terminal } = bench();
    expect(terminal.enrol({ finger: 0 })).toBe(1);
    expect(terminal.enrol({ user: 40, fingers: 2 })).toBe(40);
    expect(terminal.enrol({ finger: 0 })).toBe(41);
    const before = terminal.user(40);
    terminal.enrol({ user: 40, finger: 5 });
    const { 'finger.5': fifth, ...others } = terminal.user(40) ?? {};
    expect(fifth).toBeDefined();
    expect({ ...others, 'finger.5': undefined }).toEqual(before);
  });

  test('E4 a full terminal says so, tells the log, and still takes fingers of who is there', () => {
    const { terminal } = bench({ capabilities: { users: 2 } });
    terminal.enrol({ finger: 0 });
    terminal.enrol({ finger: 0 });
    expect(codeFrom(() => terminal.enrol({ finger: 0 }))).toBe('TERMINAL_FULL');
    expect(terminal.logs(1)).toMatchObject([{ kind: 'user.enrol.failed', user: 3 }]);
    terminal.enrol({ user: 2, finger: 1 });
    expect(terminal.users().size).toBe(2);
  });

  test.each([
    ['a slot that this model lacks', { user: 1, card: 1 }, 'TERMINAL_CANNOT_HOLD'],
    ['a reader that this model lacks', { user: 1, finger: 0 }, 'TERMINAL_CANNOT_HOLD'],
    ['a slot that no terminal has', { user: 1, card: 8 }, 'TERMINAL_CANNOT_HOLD'],
    ['more fingers than people have', { user: 1, fingers: 11 }, 'TERMINAL_CANNOT_HOLD'],
    ['an id that nobody can have', { user: 0, card: 0 }, 'MESSAGE_RANGE'],
    ['a name that is too long', { user: 1, name: 'x'.repeat(65) }, 'MESSAGE_RANGE'],
    ['an access group that cannot be', { user: 1, groups: [0] }, 'MESSAGE_RANGE'],
  ])('E4 %s changes nothing', (_title, enrolment, code) => {
    const { terminal } = bench({ model: MODELS['card-500'] });
    expect(codeFrom(() => terminal.enrol(enrolment))).toBe(code);
    expect(terminal.users().size).toBe(0);
    expect(terminal.logs()).toHaveLength(1);
  });

  test('E1 editing and deleting need somebody who is there', () => {
    const { terminal } = bench();
    expect(codeFrom(() => terminal.edit({ user: 5, set: { name: 'x' } }))).toBe('TERMINAL_NO_USER');
    expect(codeFrom(() => terminal.remove(5))).toBe('TERMINAL_NO_USER');
    terminal.enrol({ user: 5, name: 'Ada', finger: 2 });
    expect(terminal.edit({ user: 5, set: { name: 'Ada' } })).toBe(false);
    expect(terminal.edit({ user: 5, clear: ['finger.2', 'name'] })).toBe(true);
    expect(terminal.user(5)).toMatchObject({ id: 5, name: undefined, 'finger.2': undefined });
  });
});

describe('at the door', () => {
  test('E1 who is known and valid is let in, by the terminal’s own clock', () => {
    const { terminal, clock } = bench();
    const now = Math.floor(clock.wallTime() / 1000);
    const number = Uint8Array.of(0xca, 0xfe);
    terminal.enrol({ user: 5, card: { slot: 1, number } });
    expect(terminal.tap({ user: 5 })).toEqual({ granted: true, user: 5 });
    expect(terminal.tap({ card: number })).toEqual({ granted: true, user: 5 });
    expect(terminal.logs(1)).toMatchObject([{ kind: 'access.granted', user: 5, detail: 0x11 }]);
    expect(terminal.tap({ card: Uint8Array.of(1) })).toEqual({ granted: false, user: 0 });
    terminal.edit({ user: 5, set: { validity: { from: 0, until: now + 60 } } });
    expect(terminal.tap({ user: 5 }).granted).toBe(true);
    terminal.setClock(clock.wallTime() + 60_000);
    expect(terminal.tap({ card: number }).granted).toBe(false);
    terminal.remove(5);
    expect(terminal.tap({ card: number })).toEqual({ granted: false, user: 0 });
  });
});

test('E3 off is off: nobody can press anything, and the wire is silent', async () => {
  const { terminal, asker, clock } = bench();
  terminal.powerOff();
  expect(codeFrom(() => terminal.tamper())).toBe('TERMINAL_OFF');
  expect(asker.all('poll', {})).toEqual([]);
  terminal.powerOn();
  terminal.powerOn();
  expect(terminal.power).toBe('starting');
  await clock.run({ forMs: terminal.model.bootMs });
  expect(terminal.logs().map(({ kind }) => kind)).toEqual(['terminal.started', 'terminal.started']);
});
