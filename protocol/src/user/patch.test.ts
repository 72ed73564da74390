import fc from 'fast-check';
import { expect, test } from 'vitest';
import { thrownCode } from '../testing.ts';
import { fieldDigest } from './digest.ts';
import { patched, patchOf, readPatches, wholePatch, writePatches } from './patch.ts';
import { recordOf, writeRecord } from './record.ts';
import type { UserRecord } from './record.ts';

const record = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 0x94 }), fc.uint8Array({ maxLength: 3 })), {
    selector: ([number]) => number,
    maxLength: 6,
  })
  .map((fields) => recordOf(7, fields));

function digests({ fields }: UserRecord): Map<number, Uint8Array> {
  return new Map([...fields].map(([number, value]) => [number, fieldDigest(number, value)]));
}

test('B14 a patch makes the user out of the one it begins from, and holds only what changed', () => {
  fc.assert(
    fc.property(record, record, (before, after) => {
      const [patch] = readPatches(writePatches([patchOf(after, digests(before))]));
      if (patch === undefined) throw new Error('no patch was read');
      expect(writeRecord(patched(before, patch) ?? recordOf(1, []))).toEqual(writeRecord(after));
      for (const [number, value] of patch.changed.fields)
        expect(Buffer.compare(before.fields.get(number) ?? Buffer.from('vacant'), value)).not.toBe(0);
    }),
  );
});

test('B14 a patch is not applied to another user than it begins from; a whole user is, to anyone', () => {
  const [before, other, after] = ['Ada', 'Bea', 'Eva'].map((name) => recordOf(7, [[1, Buffer.from(name)]]));
  if (before === undefined || other === undefined || after === undefined) throw new Error('three users');
  const patch = patchOf(after, digests(before));
  expect(patched(other, patch)).toBeUndefined();
  expect(patched(undefined, patch)).toBeUndefined();
  expect(patched(before, patch)).toEqual(after);
  for (const held of [undefined, other]) expect(patched(held, wholePatch(after))).toEqual(after);
});

test('damaged patches are refused with a code', () => {
  const [patch] = [patchOf(recordOf(7, [[1, Buffer.from('Ada')]]), new Map([[3, new Uint8Array(16)]]))];
  const bytes = writePatches([patch]);
  for (let length = 1; length < bytes.length; length += 1)
    expect(thrownCode(() => readPatches(bytes.subarray(0, length)))).toMatch(/^MESSAGE_/);
  const twice = writePatches([{ ...patch, removed: [3, 3] }]);
  expect(thrownCode(() => readPatches(twice))).toBe('USER_ORDER');
});
