import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../random.ts';
import { thrownCode } from '../testing.ts';
import { Sketch, SYMBOL_BYTES } from './sketch.ts';
import type { SketchItem } from './sketch.ts';

function users(count: number, seed: number, firstId = 1): SketchItem[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => ({ id: firstId + i, tag: random.below(2 ** 32) }));
}

function sketchOf(items: readonly SketchItem[], size: number): Sketch {
  const sketch = new Sketch(size);
  for (const item of items) sketch.toggle(item);
  return sketch;
}

/** Symbols that it takes to find what differs, and what was found. */
function reconcile(
  mine: readonly SketchItem[],
  theirs: readonly SketchItem[],
): { symbols: number; found: readonly SketchItem[] } {
  const size = 4096;
  const left = sketchOf(mine, size);
  left.subtract(sketchOf(theirs, size).bytes(0, size), 0);
  for (let symbols = 1; symbols <= size; symbols += 1) {
    const found = left.differences(symbols);
    if (found !== undefined) return { symbols, found };
  }
  throw new Error('the differences do not come apart');
}

const key = ({ id, tag }: SketchItem): string => `${id} ${tag}`;

test('B11 finds who is in one set only, whatever they have in common', () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(60), fc.nat(200), fc.nat(1e6), (mine, theirs, both, seed) => {
      const common = users(both, seed);
      const [here, there] = [users(mine, seed + 1, 100_000), users(theirs, seed + 2, 200_000)];
      const { found } = reconcile([...common, ...here], [...common, ...there]);
      expect(found.map(key).sort()).toEqual([...here, ...there].map(key).sort());
    }),
    { numRuns: 25 },
  );
});

test('B11 a user who changed is one difference: what is left is both tags combined', () => {
  const common = users(10_000, 5);
  const changed = common.map((item, i) => (i % 1000 === 0 ? { ...item, tag: item.tag ^ (i + 1) } : item));
  const { symbols, found } = reconcile(common, changed);
  const steps = changed.flatMap(({ id }, i) => (i % 1000 === 0 ? [{ id, tag: i + 1 }] : []));
  expect(found.map(key).sort()).toEqual(steps.map(key).sort());
  expect(symbols).toBeLessThan(50);
});

test('B11 about 1.5 symbols a difference are enough', () => {
  const needs = Array.from({ length: 15 }, (_, seed) => reconcile(users(100, seed + 1), []).symbols);
  expect(needs.reduce((sum, one) => sum + one, 0) / needs.length).toBeLessThan(155);
});

test('a sketch kept up to date is that of the set', () => {
  const all = users(500, 9);
  const kept = sketchOf(all, 64);
  for (const item of all.slice(100, 300)) kept.toggle(item);
  const rest = [...all.slice(0, 100), ...all.slice(300)];
  expect(kept.bytes(0, 64)).toEqual(sketchOf(rest, 64).bytes(0, 64));
});

test('too few symbols, or noise instead of symbols, find nobody', () => {
  const left = sketchOf(users(100, 3), 64);
  expect(left.differences(20)).toBeUndefined();
  const noise = new Sketch(64);
  noise.subtract(seededRandom(4).bytes(64 * SYMBOL_BYTES), 0);
  expect(noise.differences(64)).toBeUndefined();
  expect(thrownCode(() => noise.subtract(new Uint8Array(13), 0))).toBe('MESSAGE_RANGE');
  expect(thrownCode(() => noise.subtract(new Uint8Array(SYMBOL_BYTES), 64))).toBe('MESSAGE_RANGE');
});
