import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inverse, times } from './field.ts';

const word = fc.nat(0xffff_ffff);

test('products: commutative, associative, distributive over the exclusive or', () => {
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(times(a, b)).toBe(times(b, a));
      expect(times(a, times(b, c))).toBe(times(times(a, b), c));
      expect(times(a, (b ^ c) >>> 0)).toBe((times(a, b) ^ times(a, c)) >>> 0);
    }),
  );
});

test('every element but 0 has an inverse', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffff_ffff }), (a) => {
      expect(times(a, inverse(a))).toBe(1);
    }),
  );
  expect(inverse(0)).toBe(0);
});

test('known products', () => {
  expect(times(1, 0x8000_0001)).toBe(0x8000_0001);
  expect(times(2, 0x8000_0000)).toBe(0x8d);
  expect(times(0x1_0000, 0x1_0000)).toBe(0x8d);
});
