/** For tests only: generators of users, typed and raw, made of the field table. */
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { arbitraryValue } from '../codec/arbitrary.ts';
import { FIELD_NAMES, FIELDS } from './fields.ts';
import { lengthWidth, recordOf } from './record.ts';
import type { UserRecord } from './record.ts';
import type { User } from './user.ts';

/** Users with any of the fields. */
export function arbitraryUser(): Arbitrary<User> {
  const values = Object.fromEntries(FIELD_NAMES.map((name) => [name, arbitraryValue(FIELDS[name].codec)]));
  return fc
    .tuple(arbitraryId(), fc.subarray([...FIELD_NAMES], { maxLength: 8 }))
    .chain(([id, names]) =>
      fc
        .record(Object.fromEntries(names.map((name) => [name, values[name] ?? fc.constant(undefined)])))
        .map((fields) => ({ ...fields, id })),
    );
}

/** Records of any field numbers, those of later releases too, with any bytes as their values. */
export function arbitraryRecord(): Arbitrary<UserRecord> {
  const field = fc.nat(0xff).chain((number) => {
    const most = lengthWidth(number) === 1 ? 255 : 700;
    return fc.tuple(fc.constant(number), fc.uint8Array({ maxLength: most }));
  });
  return fc
    .tuple(arbitraryId(), fc.uniqueArray(field, { maxLength: 8, selector: ([number]) => number }))
    .map(([id, fields]) => recordOf(id, fields));
}

function arbitraryId(): Arbitrary<number> {
  return fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff));
}
