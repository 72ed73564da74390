import { fitting, recordDigest, recordOf, sameBytes } from '@whorl/protocol';
import type { Capabilities, UserRecord } from '@whorl/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MERGE_KEYS } from '../settings/runtime.ts';
import type { Slice } from '../settings/task.ts';
import { dropUser, isMember, putUser, sliced, tableDigest, takesField } from './slice.ts';
import type { SliceSite, Table } from './slice.ts';

const NUMBERS = [1, 2, 3, 4, 5, 0x10, 0x11, 0x40, 0x41, 0x49, 0x80, 0x90, 0xf0];
const EVERYTHING: Capabilities = {
  ...{ users: 1000, logs: 1000, cards: 8, fingers: 10, faces: 5 },
  ...{ cardFormats: [1], fingerFormats: [1], faceFormats: [1], mtu: 1100, window: 1 },
  does: { patches: true, portable: true, clock: true },
  holds: { validity: true, pin: true, authMode: true, groups: true, photo: true },
};

const key = fc.constantFrom(...MERGE_KEYS);
const record: fc.Arbitrary<UserRecord> = fc
  .tuple(
    fc.integer({ min: 1, max: 50 }),
    fc.uniqueArray(fc.constantFrom(...NUMBERS), { maxLength: NUMBERS.length }),
    fc.uint8Array({ maxLength: 8 }),
  )
  .map(([id, numbers, tail]) =>
    recordOf(
      id,
      numbers.map((number) => [number, Uint8Array.from([1, number, ...tail])] as const),
    ),
  );
const slice: fc.Arbitrary<Slice> = fc.record<Slice>({
  who: fc.oneof(
    fc.record({
      by: fc.constant('groups' as const),
      groups: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
    }),
    fc.record({ by: fc.constant('users' as const), users: fc.array(fc.integer({ min: 1, max: 9 })) }),
    fc.record({ by: fc.constant('site' as const), site: fc.constantFrom('here', 'there') }),
  ),
  only: fc.option(fc.uniqueArray(key), { nil: undefined }),
  without: fc.uniqueArray(key),
});
const user = fc.record({
  id: fc.integer({ min: 1, max: 9 }),
  groups: fc.array(fc.integer({ min: 1, max: 5 })),
});
const SITE: SliceSite = {
  name: 'here',
  scope: {
    autoSync: 'access-groups',
    places: [{ terminal: 'door', line: 'floor', groups: [1, 2] }],
  },
};

test('P2 a slice by access group, by list, or by site takes just whom it says', () => {
  fc.assert(
    fc.property(slice, user, (one, who) => {
      const member = isMember(one, who, SITE);
      if (one.who.by === 'users') expect(member).toBe(one.who.users.includes(who.id));
      else if (one.who.by === 'groups') {
        const { groups } = one.who;
        expect(member).toBe(who.groups.some((group) => groups.includes(group)));
      } else expect(member).toBe(one.who.site === 'here' && who.groups.some((group) => group <= 2));
    }),
  );
});

test('P2 a slice by site takes everybody where everybody goes everywhere', () => {
  const all: Slice = { who: { by: 'site', site: 'here' }, without: [] };
  for (const autoSync of ['all', 'all-with-device-updates', 'off'] as const)
    expect(isMember(all, { id: 1, groups: [] }, { ...SITE, scope: { ...SITE.scope, autoSync } })).toBe(true);
});

test('P2 what goes along is part of what the terminal can hold, unchanged, and always has the name', () => {
  fc.assert(
    fc.property(record, slice, (whole, one) => {
      const part = sliced(whole, one, EVERYTHING);
      const fits = fitting(whole, EVERYTHING);
      expect(part.id).toBe(whole.id);
      for (const [field, value] of part.fields) expect(whole.fields.get(field)).toBe(value);
      for (const field of fits.fields.keys()) expect(part.fields.has(field)).toBe(takesField(one, field));
      expect(part.fields.has(1)).toBe(whole.fields.has(1));
    }),
  );
});

test('P2 a slice of a slice is the same slice', () => {
  fc.assert(
    fc.property(record, slice, (whole, one) => {
      const part = sliced(whole, one, EVERYTHING);
      expect(sliced(part, one, EVERYTHING)).toEqual(part);
    }),
  );
});

test('P2 no photos, or fingers only', () => {
  const base = { who: { by: 'users' as const, users: [] } };
  expect(takesField({ ...base, without: ['photo'] }, 0x80)).toBe(false);
  expect(takesField({ ...base, without: ['photo'] }, 0x40)).toBe(true);
  const fingers: Slice = { ...base, only: ['finger'], without: ['finger.1'] };
  expect(NUMBERS.filter((field) => takesField(fingers, field))).toEqual([0x01, 0x40, 0x49]);
});

test('P2 a table’s digest does not depend on the order, and knows who was dropped', () => {
  fc.assert(
    fc.property(fc.uniqueArray(record, { selector: ({ id }) => id }), (records) => {
      const [one, other] = [emptyTable(), emptyTable()];
      for (const item of records) putUser(one, item, 1);
      for (const item of [...records].reverse()) putUser(other, item, 2);
      expect(tableDigest(one)).toEqual(tableDigest(other));
      const [first] = records;
      if (first === undefined) return;
      dropUser(one, first.id);
      expect(sameBytes(tableDigest(one), tableDigest(other))).toBe(false);
      expect(other.users.get(first.id)).toEqual(recordDigest(first));
    }),
  );
});

function emptyTable(): Table {
  return { users: new Map(), versions: new Map() };
}
