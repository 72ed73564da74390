import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resampled } from './resampled.ts';

const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 });

test('E2 at the same speed bytes are what they were', () => {
  fc.assert(
    fc.property(bytes, (sent) => {
      expect(resampled(sent, 1)).toEqual(sent);
    }),
  );
});

test('E2 a receiver within two percent of the sender’s speed understands it', () => {
  fc.assert(
    fc.property(bytes, fc.double({ min: 0.98, max: 1.02, noNaN: true }), (sent, ratio) => {
      expect(resampled(sent, ratio)).toEqual(sent);
    }),
  );
});

test('E2 at half the speed a receiver gets half of the bytes at most one more, and not those', () => {
  const sent = Uint8Array.from({ length: 40 }, (_, i) => (i * 37) & 0xff);
  const heard = resampled(sent, 0.5);
  expect(heard.length).toBeLessThanOrEqual(sent.length / 2 + 1);
  expect(heard.length).toBeGreaterThan(sent.length / 4);
  expect(heard).not.toEqual(sent.subarray(0, heard.length));
});

test('E2 at twice the speed a receiver finds up to two bytes where one was', () => {
  expect(resampled(Uint8Array.of(0x00), 2).length).toBeLessThanOrEqual(2);
  expect(resampled(Uint8Array.of(0xff), 2)).toHaveLength(1);
});
