import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TRANSFER_MAX_BYTES } from '../messages/catalogue.ts';
import { thrownCode, viewOf } from '../testing.ts';
import { digestOf } from '../user/digest.ts';
import { Assembly, chunkAt, chunkCount, sameObject } from './assembly.ts';
import type { ObjectHead } from './assembly.ts';

function headOf(object: Uint8Array, chunk: number): ObjectHead {
  return { size: object.length, chunk, digest: digestOf(object) };
}

const objects = fc.tuple(
  fc.uint8Array({ minLength: 1, maxLength: 5000 }),
  fc.integer({ min: 64, max: 1100 }),
);

describe('an object in chunks', () => {
  test('is whole again, in whatever order and however often they arrive', () => {
    const arriving = objects.chain(([object, chunk]) => {
      const count = chunkCount({ size: object.length, chunk });
      const all = Array.from({ length: count }, (_, i) => i);
      const again = fc.array(fc.nat(count - 1));
      return fc.tuple(
        fc.constant({ object, chunk }),
        again.chain((again) => fc.shuffledSubarray([...all, ...again], { minLength: count + again.length })),
      );
    });
    fc.assert(
      fc.property(arriving, ([{ object, chunk }, order]) => {
        const assembly = new Assembly(headOf(object, chunk));
        const seen = new Set<number>();
        for (const index of order) {
          expect(assembly.add(index, viewOf(chunkAt(object, chunk, index)))).toBe(!seen.has(index));
          seen.add(index);
          expect(assembly.chunk(index)).toEqual(chunkAt(object, chunk, index));
        }
        expect(assembly.finish()).toEqual(object);
      }),
    );
  });

  test('does not finish while any chunk is missing', () => {
    fc.assert(
      fc.property(objects, fc.nat(), ([object, chunk], which) => {
        const head = headOf(object, chunk);
        const missing = which % chunkCount(head);
        const assembly = new Assembly(head);
        for (let i = 0; i < chunkCount(head); i += 1)
          if (i !== missing) assembly.add(i, chunkAt(object, chunk, i));
        expect(thrownCode(() => assembly.finish())).toBe('TRANSFER_DIGEST');
      }),
    );
  });

  test('does not finish when its digest differs', () => {
    const object = new Uint8Array(100).fill(1);
    const assembly = new Assembly({ ...headOf(object, 64), digest: digestOf(new Uint8Array(1)) });
    for (let i = 0; i < 2; i += 1) assembly.add(i, chunkAt(object, 64, i));
    expect(thrownCode(() => assembly.finish())).toBe('TRANSFER_DIGEST');
  });

  test('takes no chunk of the wrong length, and none outside', () => {
    const object = new Uint8Array(100);
    const assembly = new Assembly(headOf(object, 64));
    for (const [index, length] of [
      [0, 63],
      [0, 65],
      [1, 64],
      [1, 35],
      [2, 64],
      [2, 0],
      [65_535, 64],
      [-1, 64],
    ] as const) {
      expect(
        thrownCode(() => assembly.add(index, new Uint8Array(length))),
        `${index} ${length}`,
      ).toBe('TRANSFER_SIZE');
    }
    expect(assembly.arrived.count).toBe(0);
  });

  test('G8 is refused before memory is taken for it when it is larger than any object may be', () => {
    const head = headOf(new Uint8Array(1), 64);
    expect(thrownCode(() => new Assembly({ ...head, size: 2 ** 32 - 1 }))).toBe('TRANSFER_SIZE');
    expect(thrownCode(() => new Assembly({ ...head, size: TRANSFER_MAX_BYTES + 1 }))).toBe('TRANSFER_SIZE');
    expect(thrownCode(() => new Assembly({ ...head, chunk: 0 }))).toBe('TRANSFER_SIZE');
    expect(new Assembly({ ...head, size: TRANSFER_MAX_BYTES }).arrived.size).toBe(TRANSFER_MAX_BYTES / 64);
  });
});

test('an object is the same by size, chunk and digest', () => {
  const head = headOf(new Uint8Array(100), 64);
  expect(sameObject(head, { ...head, digest: head.digest.slice() })).toBe(true);
  expect(sameObject(head, { ...head, size: 101 })).toBe(false);
  expect(sameObject(head, { ...head, chunk: 65 })).toBe(false);
  expect(sameObject(head, { ...head, digest: digestOf(new Uint8Array(1)) })).toBe(false);
});
