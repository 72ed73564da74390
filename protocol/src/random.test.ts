import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom, xoshiro128 } from './random.ts';

describe('the generator', () => {
  test('gives the numbers of the published algorithm', () => {
    const next = xoshiro128(1, 2, 3, 4);
    expect(Array.from({ length: 10 }, next)).toEqual([
      ...[11520, 0, 5927040, 70819200, 2031721883],
      ...[1637235492, 1287239034, 3734860849, 3729100597, 4258142804],
    ]);
  });

  test('agrees with the published algorithm written out in big integers', () => {
    const word = fc.nat(0xffffffff);
    fc.assert(
      fc.property(word, word, word, word, (a, b, c, d) => {
        const plain = bigXoshiro128([a, b, c, d].map(BigInt));
        const next = xoshiro128(a, b, c, d);
        for (let i = 0; i < 50; i += 1) expect(next()).toBe(plain());
      }),
      { numRuns: 20 },
    );
  });
});

describe('a seeded source', () => {
  test('repeats itself from its seed, and differs from that of another', () => {
    const draw = (seed: number): number[] => {
      const random = seededRandom(seed);
      return [...Array.from({ length: 20 }, () => random.below(1000)), ...random.bytes(33)];
    };
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(draw(seed)).toEqual(draw(seed));
        expect(draw(seed + 1)).not.toEqual(draw(seed));
      }),
    );
  });

  test('draws whole numbers below its bound, every one of them sooner or later', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 20 }), (seed, bound) => {
        const random = seededRandom(seed);
        const drawn = new Set(Array.from({ length: 50 * bound }, () => random.below(bound)));
        expect([...drawn].sort((a, b) => a - b)).toEqual(Array.from({ length: bound }, (_, i) => i));
      }),
      { numRuns: 30 },
    );
    expect(seededRandom(1).below(2 ** 32)).toBeLessThan(2 ** 32);
  });

  test('draws as many bytes as it is asked for', () => {
    for (const length of [0, 1, 4, 7, 1000]) expect(seededRandom(1).bytes(length)).toHaveLength(length);
  });

  test('favours no byte', () => {
    const counts = new Array<number>(256).fill(0);
    for (const byte of seededRandom(42).bytes(256 * 1000)) counts[byte] = (counts[byte] ?? 0) + 1;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1150);
  });
});

/** xoshiro128** as Blackman and Vigna print it. */
function bigXoshiro128(state: bigint[]): () => number {
  const mask = 0xffffffffn;
  const rotl = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask;
  let [s0 = 0n, s1 = 0n, s2 = 0n, s3 = 0n] = state;
  return () => {
    const result = (rotl((s1 * 5n) & mask, 7n) * 9n) & mask;
    const t = (s1 << 9n) & mask;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotl(s3, 11n);
    return Number(result);
  };
}
