import { seededRandom } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { reflecting } from './reflections.ts';
import type { Reflecting } from './reflections.ts';

const LONG: Reflecting = { lengthM: 900, returned: 0.47 };
const BYTES = seededRandom(7).bytes(20_000);

/** What comes out of so many bytes: the same ones when nothing is hit. */
function through(wire: Reflecting, baud: number, seed = 1, bytes = BYTES): Uint8Array {
  return reflecting(wire, baud, seededRandom(seed)).toGateway?.(bytes) ?? bytes;
}

function flipped(heard: Uint8Array, sent = BYTES): number[] {
  const bits: number[] = [];
  for (let bit = 0; bit < 8 * sent.length; bit += 1)
    if ((((heard[bit >> 3] ?? 0) ^ (sent[bit >> 3] ?? 0)) >> (bit & 7)) & 1) bits.push(bit);
  return bits;
}

test('E2 a wire that is terminated, short, or slow reflects nothing that matters', () => {
  expect(through({ ...LONG, returned: 0 }, 115_200)).toBe(BYTES);
  expect(through({ ...LONG, lengthM: 30 }, 115_200)).toBe(BYTES);
  expect(through(LONG, 9_600)).toBe(BYTES);
});

test('E2 without terminating resistors errors rise with what comes back and with the speed', () => {
  const errors = (wire: Partial<Reflecting>, baud: number): number =>
    flipped(through({ ...LONG, ...wire }, baud)).length;
  expect(errors({}, 57_600)).toBe(0);
  expect(errors({}, 115_200)).toBeGreaterThan(20);
  expect(errors({ returned: 0.5 }, 115_200)).toBeGreaterThan(3 * errors({}, 115_200));
  expect(errors({ lengthM: 450 }, 115_200)).toBe(0);
  expect(errors({ lengthM: 450 }, 230_400)).toBeGreaterThan(20);
});

test('E2 it is the bits before that make a bit err: the same patterns again and again, others never', () => {
  const wire = { ...LONG, returned: 0.55 };
  const bad = flipped(through(wire, 115_200));
  // Of 160,000 random bits few places err, most of them whatever the noise of the moment is.
  const again = new Set(flipped(through(wire, 115_200, 2)));
  expect(bad.filter((bit) => again.has(bit)).length / bad.length).toBeGreaterThan(0.5);
  const calm = new Uint8Array(2_000).fill(0x55);
  expect(through(wire, 115_200, 1, calm)).toBe(calm);
});

test('E2 equal seeds err equally, and the sender’s bytes stay', () => {
  const before = BYTES.slice();
  expect(through(LONG, 115_200)).toEqual(through(LONG, 115_200));
  expect(BYTES).toEqual(before);
});
