import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { thrownCode, viewOf } from '../testing.ts';
import { arbitraryRecord } from './arbitrary.ts';
import { BATCH_MAX_USERS, batchDigest, readBatch, writeBatch } from './batch.ts';
import { digestOf, recordDigest } from './digest.ts';
import { recordOf } from './record.ts';

const batches = fc.array(arbitraryRecord(), { maxLength: 5 });

describe('several users as one object', () => {
  test('are read as they were written, in their order, from any view', () => {
    fc.assert(
      fc.property(batches, (records) => {
        expect(readBatch(viewOf(writeBatch(records)))).toEqual(records);
      }),
    );
  });

  test('that end anywhere but behind a record are MESSAGE_SHORT', () => {
    fc.assert(
      fc.property(batches, fc.nat(), (records, cut) => {
        const bytes = writeBatch([...records, recordOf(1, [])]);
        const length = cut % bytes.length;
        const code = thrownCode(() => readBatch(bytes.subarray(0, length)));
        const whole = records.some((_, i) => writeBatch(records.slice(0, i)).length === length);
        expect(code).toBe(whole || length === writeBatch(records).length ? undefined : 'MESSAGE_SHORT');
      }),
    );
  });

  test('are at most as many as one byte can tell apart, on both ends', () => {
    const most = Array.from({ length: BATCH_MAX_USERS }, (_, i) => recordOf(i, []));
    expect(readBatch(writeBatch(most))).toEqual(most);
    const more = [...most, recordOf(BATCH_MAX_USERS, [])];
    expect(thrownCode(() => writeBatch(more))).toBe('MESSAGE_LONG');
    const bytes = Uint8Array.of(...writeBatch(most), ...writeBatch([recordOf(9, [])]));
    expect(thrownCode(() => readBatch(bytes))).toBe('MESSAGE_LONG');
  });

  test('have a digest made of the digests of the users that are held, in order', () => {
    fc.assert(
      fc.property(batches, (records) => {
        const digests = records.map(recordDigest);
        expect(batchDigest(digests)).toEqual(digestOf(Buffer.concat(digests)));
      }),
    );
  });
});
