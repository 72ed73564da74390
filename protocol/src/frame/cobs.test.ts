import fc from 'fast-check';
import { expect, test } from 'vitest';
import { thrownCode, viewOf } from '../testing.ts';
import { stuff, stuffedMax, unstuff } from './cobs.ts';

function stuffed(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(stuffedMax(bytes.length));
  return out.subarray(0, stuff(bytes, bytes.length, out, 0));
}

/** As the paper tells it: the bytes and a zero behind them, cut behind each zero and after 254 bytes without one. */
function naive(bytes: Uint8Array): number[] {
  const out: number[] = [];
  let run: number[] = [];
  for (const byte of [...bytes, 0]) {
    if (byte !== 0) run.push(byte);
    if (byte !== 0 && run.length < 254) continue;
    out.push(run.length + 1, ...run);
    run = [];
  }
  return [...out, 0];
}

/** Runs of equal length class, so that blocks of 254 bytes end at, before and behind a zero. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 1200 }),
  fc
    .array(fc.tuple(fc.constantFrom(0, 1, 253, 254, 255, 508), fc.nat(255)), { maxLength: 5 })
    .map((runs) => Uint8Array.from(runs.flatMap(([length, byte]) => new Array<number>(length).fill(byte)))),
);

test('what is stuffed comes back, from any view', () => {
  fc.assert(
    fc.property(bytes, (bytes) => {
      expect(unstuff(viewOf(stuffed(bytes).subarray(0, -1)))).toEqual(bytes);
    }),
  );
});

test('stuffed bytes are those of the paper: no zero but the last, and no longer than promised', () => {
  fc.assert(
    fc.property(bytes, (bytes) => {
      const out = stuffed(bytes);
      expect([...out]).toEqual(naive(bytes));
      expect(out.indexOf(0)).toBe(out.length - 1);
      expect(out.length).toBeLessThanOrEqual(stuffedMax(bytes.length));
    }),
  );
});

test.each([
  ['nothing', [], [1, 0]],
  ['a zero', [0], [1, 1, 0]],
  ['two zeros', [0, 0], [1, 1, 1, 0]],
  ['a zero inside', [0x11, 0x22, 0, 0x33], [3, 0x11, 0x22, 2, 0x33, 0]],
  ['zeros behind', [0x11, 0, 0, 0], [2, 0x11, 1, 1, 1, 0]],
])('%s is stuffed as published', (_, plain, expected) => {
  expect([...stuffed(Uint8Array.from(plain))]).toEqual(expected);
});

test('writes where it is told to, and says where it ended', () => {
  const out = new Uint8Array(9).fill(0xee);
  expect(stuff(Uint8Array.of(7), 1, out, 2)).toBe(5);
  expect([...out]).toEqual([0xee, 0xee, 2, 7, 0, 0xee, 0xee, 0xee, 0xee]);
});

test('G8 any bytes at all either come apart or are FRAME_COBS', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect([undefined, 'FRAME_COBS']).toContain(thrownCode(() => unstuff(bytes)));
    }),
  );
  expect(thrownCode(() => unstuff(Uint8Array.of(3, 1)))).toBe('FRAME_COBS');
  expect(thrownCode(() => unstuff(Uint8Array.of(3, 1, 0)))).toBe('FRAME_COBS');
  expect(thrownCode(() => unstuff(Uint8Array.of(0)))).toBe('FRAME_COBS');
});
