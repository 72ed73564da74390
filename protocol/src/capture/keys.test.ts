import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { thrownCode } from '../testing.ts';
import { keyLine, KEYS_HEAD, readKeys } from './keys.ts';
import type { LoggedKeys } from './keys.ts';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const line = fc.stringMatching(/^[a-z][a-z0-9-]{0,27}$/);
const logged: fc.Arbitrary<LoggedKeys> = fc.oneof(
  fc.record({
    kind: fc.constant('session' as const),
    line,
    address: fc.integer({ min: 1, max: 247 }),
    forth: key,
    back: key,
  }),
  fc.record({ kind: fc.constant('group' as const), line, epoch: fc.nat(99_999), key }),
);

describe('a key file', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(logged), (list) => {
        expect(readKeys(KEYS_HEAD + list.map(keyLine).join(''))).toEqual(list);
      }),
    );
  });

  test('that is being written is read up to the last whole line', () => {
    fc.assert(
      fc.property(logged, logged, fc.nat(), (first, second, cut) => {
        const last = keyLine(second);
        expect(readKeys(`\n${keyLine(first)}${last.slice(0, cut % last.length)}`)).toEqual([first]);
      }),
    );
  });

  test.each([
    'session floor 7 00 00',
    `session floor 0 ${'0'.repeat(64)} ${'0'.repeat(64)}`,
    `session floor 248 ${'0'.repeat(64)} ${'0'.repeat(64)}`,
    `group floor 0 ${'0'.repeat(63)}g`,
    `group floor 0 ${'0'.repeat(66)}`,
    `pairing floor ${'5e'.repeat(32)}`,
    'nonsense',
  ])('G7 %s: the line is named, and nothing of it is told', (wrong) => {
    const text = `${KEYS_HEAD}${wrong}\n`;
    expect(thrownCode(() => readKeys(text))).toBe('KEYS_FORMAT');
    expect(() => readKeys(text)).toThrow(/^line 4$/);
  });
});
