import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined, thrownCode, viewOf } from '../testing.ts';
import { arbitraryRecord } from './arbitrary.ts';
import { readRecord, recordOf, recordSize, writeRecord } from './record.ts';

describe('a user record', () => {
  test('is read as it was written, from any view, fields of later releases included', () => {
    fc.assert(
      fc.property(arbitraryRecord(), (record) => {
        const bytes = writeRecord(record);
        expect(bytes.length).toBe(recordSize(record));
        const read = readRecord(viewOf(bytes));
        expect(read).toEqual(record);
        expect([...read.fields.keys()]).toEqual([...record.fields.keys()]);
        expect(writeRecord(read)).toEqual(bytes);
      }),
    );
  });

  test('has equal bytes whatever order its fields came in', () => {
    const shuffled = arbitraryRecord().chain((record) =>
      fc.tuple(
        fc.constant(record),
        fc.shuffledSubarray([...record.fields], { minLength: record.fields.size }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([record, fields]) => {
        expect(writeRecord(recordOf(record.id, fields))).toEqual(writeRecord(record));
      }),
    );
  });

  test('that ends anywhere is MESSAGE_SHORT, and one with more behind it MESSAGE_LONG', () => {
    fc.assert(
      fc.property(arbitraryRecord(), fc.nat(), (record, cut) => {
        const bytes = writeRecord(record);
        expect(thrownCode(() => readRecord(bytes.subarray(0, cut % bytes.length)))).toBe('MESSAGE_SHORT');
        expect(thrownCode(() => readRecord(joined(bytes, Uint8Array.of(0))))).toBe('MESSAGE_LONG');
      }),
    );
  });

  test('whose fields do not ascend is USER_ORDER', () => {
    const record = (...numbers: number[]): Uint8Array =>
      Uint8Array.of(1, 0, 0, 0, numbers.length, ...numbers.flatMap((number) => [number, 0]));
    expect(thrownCode(() => readRecord(record(1, 2)))).toBeUndefined();
    expect(thrownCode(() => readRecord(record(2, 1)))).toBe('USER_ORDER');
    expect(thrownCode(() => readRecord(record(2, 2)))).toBe('USER_ORDER');
  });

  test('whose value is longer than its length can tell is MESSAGE_RANGE', () => {
    const record = (number: number, length: number): (() => Uint8Array) => {
      return () => writeRecord(recordOf(1, [[number, new Uint8Array(length)]]));
    };
    expect(thrownCode(record(0x10, 255))).toBeUndefined();
    expect(thrownCode(record(0x10, 256))).toBe('MESSAGE_RANGE');
    expect(thrownCode(record(0x40, 65_535))).toBeUndefined();
    expect(thrownCode(record(0x40, 65_536))).toBe('MESSAGE_RANGE');
  });

  test('has lengths of one, two and four bytes by its field numbers', () => {
    const value = Uint8Array.of(7);
    const record = recordOf(0x04030201, [
      [0x3f, value],
      [0x40, value],
      [0x7f, value],
      [0x80, value],
    ]);
    expect([...writeRecord(record)]).toEqual([
      ...[1, 2, 3, 4, 4],
      ...[0x3f, 1, 7],
      ...[0x40, 1, 0, 7],
      ...[0x7f, 1, 0, 7],
      ...[0x80, 1, 0, 0, 0, 7],
    ]);
  });
});
