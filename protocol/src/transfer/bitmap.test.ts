import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BITMAP_BYTES } from '../messages/catalogue.ts';
import { Bitmap } from './bitmap.ts';

const size = fc.integer({ min: 1, max: 2000 });
const some = size.chain((size) =>
  fc.tuple(fc.constant(size), fc.array(fc.integer({ min: -3, max: size + 20 }))),
);

function bitmapOf(size: number, indexes: Iterable<number>): Bitmap {
  const bitmap = new Bitmap(size);
  for (const index of indexes) bitmap.add(index);
  return bitmap;
}

const within = (size: number, indexes: readonly number[]): Set<number> =>
  new Set(indexes.filter((index) => index >= 0 && index < size));

describe('a bitmap', () => {
  test('is a set of the chunks within the object', () => {
    fc.assert(
      fc.property(some, ([size, indexes]) => {
        const bitmap = new Bitmap(size);
        const set = new Set<number>();
        for (const index of indexes) {
          const isNew = index >= 0 && index < size && !set.has(index);
          expect(bitmap.add(index)).toBe(isNew);
          if (isNew) set.add(index);
        }
        expect(bitmap.count).toBe(set.size);
        expect(bitmap.complete).toBe(set.size === size);
        for (let i = 0; i < size; i += 1) expect(bitmap.has(i)).toBe(set.has(i));
      }),
      { numRuns: 50 },
    );
  });

  test('goes on from its bytes', () => {
    fc.assert(
      fc.property(some, ([size, indexes]) => {
        const bitmap = bitmapOf(size, indexes);
        const again = new Bitmap(size, bitmap.bytes);
        expect(again.bytes).toEqual(bitmap.bytes);
        expect(again.count).toBe(bitmap.count);
      }),
    );
  });

  test('takes no bit behind its end from the bytes of another', () => {
    expect(new Bitmap(3, Uint8Array.of(0xff)).count).toBe(3);
    expect([...new Bitmap(3, Uint8Array.of(0xff)).bytes]).toEqual([7]);
  });

  test('comes over whole in pages, wherever the asker begins', () => {
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: BITMAP_BYTES }), ([size, indexes], bytes) => {
        const bitmap = bitmapOf(size, indexes);
        const copy = new Bitmap(size);
        for (let from = 0; from < size;) {
          const page = bitmap.page(from, bytes);
          expect(page.from).toBeLessThanOrEqual(from);
          expect(page.bitmap.length).toBeLessThanOrEqual(bytes);
          copy.addPage(page.from, page.bitmap);
          from = page.from + 8 * bytes;
        }
        expect(copy.bytes).toEqual(bitmap.bytes);
      }),
    );
  });

  test('has an empty page behind its end', () => {
    expect(bitmapOf(10, [1]).page(500, 8)).toEqual({ from: 496, bitmap: [] });
  });

  test('names the missing chunks run by run, none twice and none that has arrived', () => {
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 64 }), ([size, indexes], most) => {
        const bitmap = bitmapOf(size, indexes);
        const missing: number[] = [];
        for (let run = bitmap.missing(0, most); run !== undefined;) {
          expect(run.count).toBeLessThanOrEqual(most);
          for (let i = 0; i < run.count; i += 1) missing.push(run.first + i);
          run = bitmap.missing(run.first + run.count, most);
        }
        const arrived = within(size, indexes);
        expect(missing).toEqual(Array.from({ length: size }, (_, i) => i).filter((i) => !arrived.has(i)));
      }),
      { numRuns: 50 },
    );
  });
});
