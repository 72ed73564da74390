import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined, viewOf } from '../testing.ts';
import { arbitraryRecord } from './arbitrary.ts';
import {
  DIGEST_BYTES,
  digestFrom,
  digestOf,
  fieldDigest,
  NO_DIGEST,
  recordDigest,
  sameBytes,
  toggled,
} from './digest.ts';
import { recordOf } from './record.ts';

const records = fc.uniqueArray(arbitraryRecord(), { maxLength: 12, selector: ({ id }) => id });

describe('the digest of an object', () => {
  test('is SHA-256 cut to 16 bytes', () => {
    const abc = Buffer.from('abc');
    expect(Buffer.from(digestOf(abc)).toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223');
    expect(digestOf(abc).length).toBe(DIGEST_BYTES);
  });

  test('does not depend on where the bytes lie', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(sameBytes(digestOf(viewOf(bytes)), digestOf(bytes))).toBe(true);
      }),
    );
  });
});

describe('the digest of a user', () => {
  test('is made of the id and each field’s number and digest', () => {
    fc.assert(
      fc.property(arbitraryRecord(), (record) => {
        const plain = createHash('sha256').update(
          Uint8Array.of(record.id, record.id >>> 8, record.id >>> 16, record.id >>> 24),
        );
        for (const [number, value] of record.fields) {
          const field = createHash('sha256').update(Uint8Array.of(number)).update(value).digest();
          plain.update(Uint8Array.of(number)).update(field.subarray(0, 16));
        }
        expect(sameBytes(recordDigest(record), plain.digest().subarray(0, 16))).toBe(true);
      }),
    );
  });

  test('is the same from the values and from the digests of the fields', () => {
    fc.assert(
      fc.property(arbitraryRecord(), (record) => {
        const digests = new Map(
          [...record.fields].map(([number, value]) => [number, fieldDigest(number, viewOf(value))]),
        );
        expect(sameBytes(digestFrom(record.id, digests), recordDigest(record))).toBe(true);
      }),
    );
  });

  test('changes with the id, with any byte and with any field', () => {
    fc.assert(
      fc.property(arbitraryRecord(), fc.nat(), (record, which) => {
        const digest = recordDigest(record);
        expect(recordDigest({ ...record, id: (record.id + 1) >>> 0 })).not.toEqual(digest);
        const fields = [...record.fields];
        const field = fields[which % Math.max(1, fields.length)];
        if (field === undefined) return;
        const [number, value] = field;
        const without = fields.filter(([other]) => other !== number);
        expect(recordDigest(recordOf(record.id, without))).not.toEqual(digest);
        const longer = recordOf(record.id, [...without, [number, joined(value, Uint8Array.of(0))]]);
        expect(recordDigest(longer)).not.toEqual(digest);
      }),
    );
  });
});

describe('the digest of a table', () => {
  const digestOfTable = (digests: readonly Uint8Array[]): Uint8Array => digests.reduce(toggled, NO_DIGEST);

  test('does not depend on the order in which users came', () => {
    const shuffled = records.chain((records) =>
      fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length })),
    );
    fc.assert(
      fc.property(shuffled, ([records, other]) => {
        expect(
          sameBytes(digestOfTable(records.map(recordDigest)), digestOfTable(other.map(recordDigest))),
        ).toBe(true);
      }),
    );
  });

  test('forgets a user who leaves, and is nothing when all have left', () => {
    fc.assert(
      fc.property(records, arbitraryRecord(), (records, guest) => {
        const digests = records.map(recordDigest);
        const table = digestOfTable(digests);
        const visited = toggled(toggled(table, recordDigest(guest)), recordDigest(guest));
        expect(sameBytes(visited, table)).toBe(true);
        expect(sameBytes(digests.reduce(toggled, table), NO_DIGEST)).toBe(true);
      }),
    );
  });
});

test('bytes are the same by length and content', () => {
  expect(sameBytes(Uint8Array.of(1, 2), viewOf(Uint8Array.of(1, 2)))).toBe(true);
  expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
});
