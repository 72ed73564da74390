import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined, thrownCode, viewOf } from '../testing.ts';
import { arbitraryRecord, arbitraryUser } from './arbitrary.ts';
import { ACCESS_GROUPS_MAX, FACE_MAX_BYTES, FIELD_NAMES, FIELDS, PHOTO_MAX_BYTES } from './fields.ts';
import type { FieldName } from './fields.ts';
import { readRecord, recordOf, writeRecord } from './record.ts';
import { accessGroups, decodeField, decodeUser, encodeField, encodeUser, encodeUserInto } from './user.ts';
import type { User } from './user.ts';

function fieldBytes(user: User, name: FieldName): Uint8Array {
  const value = user[name];
  if (value === undefined) throw new Error(`the user has no ${name}`);
  return encodeField(name, value);
}

const namesOf = (user: User): FieldName[] => FIELD_NAMES.filter((name) => user[name] !== undefined);

describe('a user by name and type', () => {
  test('is read as it was written, from any view', () => {
    fc.assert(
      fc.property(arbitraryUser(), (user) => {
        expect(decodeUser(viewOf(encodeUser(user)))).toEqual(user);
      }),
    );
  });

  test('has the bytes of the raw record of its fields', () => {
    fc.assert(
      fc.property(arbitraryUser(), (user) => {
        const fields = namesOf(user).map((name) => [FIELDS[name].number, fieldBytes(user, name)] as const);
        const record = recordOf(user.id, fields);
        expect(writeRecord(record)).toEqual(encodeUser(user));
        expect(readRecord(encodeUser(user))).toEqual(record);
        for (const name of namesOf(user))
          expect(
            decodeField(name, viewOf(record.fields.get(FIELDS[name].number) ?? new Uint8Array())),
          ).toEqual(user[name]);
      }),
    );
  });

  test('passes over the fields of a later release', () => {
    const unknown = arbitraryRecord().map((record) => {
      const known = new Set<number>(FIELD_NAMES.map((name) => FIELDS[name].number));
      return recordOf(
        record.id,
        [...record.fields].filter(([number]) => !known.has(number)),
      );
    });
    fc.assert(
      fc.property(arbitraryUser(), unknown, (user, later) => {
        const record = readRecord(encodeUser(user));
        const bytes = writeRecord(recordOf(user.id, [...record.fields, ...later.fields]));
        expect(decodeUser(bytes)).toEqual(user);
      }),
    );
  });

  test('fits the encoder with everything that it can have', () => {
    const template = new Uint8Array(384);
    const user: Record<string, unknown> = { id: 1 };
    for (const name of FIELD_NAMES) {
      if (name.startsWith('face.'))
        user[name] = { format: 1, quality: 1, template: new Uint8Array(FACE_MAX_BYTES) };
      else if (name.startsWith('finger.'))
        user[name] = { format: 1, quality: 1, first: template, second: template };
      else if (name.startsWith('card.')) user[name] = { format: 1, number: new Uint8Array(32) };
    }
    user['photo'] = new Uint8Array(PHOTO_MAX_BYTES);
    const full = user as unknown as User;
    expect(decodeUser(encodeUser(full))).toEqual(full);
  });

  test('that ends anywhere is MESSAGE_SHORT, and one with more behind it MESSAGE_LONG', () => {
    fc.assert(
      fc.property(arbitraryUser(), fc.nat(), (user, cut) => {
        const bytes = encodeUser(user);
        expect(thrownCode(() => decodeUser(bytes.subarray(0, cut % bytes.length)))).toBe('MESSAGE_SHORT');
        expect(thrownCode(() => decodeUser(joined(bytes, Uint8Array.of(0))))).toBe('MESSAGE_LONG');
      }),
    );
  });

  test('whose fields do not ascend is USER_ORDER', () => {
    expect(thrownCode(() => decodeUser(Uint8Array.of(1, 0, 0, 0, 2, 4, 1, 1, 4, 1, 1)))).toBe('USER_ORDER');
  });

  test('cannot be written beyond the room there is', () => {
    const user: User = { id: 7, name: 'Ada', 'card.0': { format: 1, number: Uint8Array.of(1, 2, 3) } };
    const size = encodeUser(user).length;
    for (let room = 0; room < size; room += 1)
      expect(thrownCode(() => encodeUserInto(user, new Uint8Array(room), 0))).toBe('MESSAGE_LONG');
    expect(encodeUserInto(user, new Uint8Array(size + 2), 2)).toBe(size + 2);
  });

  test('is told by field when a value is out of range', () => {
    expect(() => encodeUser({ id: -1 })).toThrow('user id');
    expect(() => encodeUser({ id: 1, groups: [0] })).toThrow('user groups[]');
    expect(() => encodeField('name', 'x'.repeat(65))).toThrow('user name');
    expect(() => decodeField('authMode', Uint8Array.of(99))).toThrow('user authMode');
  });
});

describe('access groups', () => {
  test('are sorted, each once', () => {
    expect(accessGroups([7, 1, 7, 3])).toEqual([1, 3, 7]);
  });

  test.each([[[0]], [[65_536]], [[1.5]], [[Number.NaN]]])('%s is none', (groups) => {
    expect(thrownCode(() => accessGroups(groups))).toBe('MESSAGE_RANGE');
  });

  test('are no more than a user can have', () => {
    const groups = Array.from({ length: ACCESS_GROUPS_MAX + 1 }, (_, i) => i + 1);
    expect(thrownCode(() => accessGroups(groups))).toBe('MESSAGE_RANGE');
    expect(accessGroups(groups.slice(1))).toHaveLength(ACCESS_GROUPS_MAX);
  });
});
