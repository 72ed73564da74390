import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldDigest, FIELDS, recordOf } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { Held, Incoming } from './merge.ts';
import { contradictions } from './two-people.ts';

const NAME = FIELDS.name.number;
const CARD = FIELDS['card.0'].number;
const OTHER = FIELDS['card.5'].number;
const FINGER = FIELDS['finger.0'].number;

function user(fields: Partial<Record<number, string>>): UserRecord {
  return recordOf(
    7,
    Object.entries(fields).map(([number, text]) => [Number(number), Buffer.from(text ?? '')]),
  );
}

const held = (fields: Parameters<typeof user>[0]): Held => ({
  record: user(fields),
  provenance: new Map(),
});
const seen = (fields: Parameters<typeof user>[0], delivered?: number): Incoming => ({
  record: user(fields),
  by: { origin: 'terminal', terminal: 'b', time: 1 },
  delivered,
});

test.each<[string, Held, Incoming, number[]]>([
  [
    'another name and another finger',
    held({ [NAME]: 'Ada', [FINGER]: 'x' }),
    seen({ [NAME]: 'Bob', [FINGER]: 'y' }),
    [NAME, FINGER],
  ],
  [
    'another name, nothing in common',
    held({ [NAME]: 'Ada', [FINGER]: 'x' }),
    seen({ [NAME]: 'Bob', [CARD]: 'y' }),
    [NAME],
  ],
  ['another finger, no names', held({ [FINGER]: 'x' }), seen({ [FINGER]: 'y' }), [FINGER]],
  [
    'another name and card where the user was brought to',
    held({ [NAME]: 'Ada', [CARD]: 'x' }),
    seen({ [NAME]: 'Bob', [CARD]: 'y' }, 3),
    [NAME, CARD],
  ],
])('B16 two people: %s', (_, mine, theirs, reasons) => {
  expect(contradictions(mine, theirs)).toEqual(reasons);
});

test.each<[string, Held, Incoming]>([
  [
    'the same card, another name',
    held({ [NAME]: 'Ada', [CARD]: 'x' }),
    seen({ [NAME]: 'Ada Lovelace', [CARD]: 'x' }),
  ],
  [
    'the same card in another slot',
    held({ [NAME]: 'Ada', [CARD]: 'x' }),
    seen({ [NAME]: 'Bob', [OTHER]: 'x' }),
  ],
  [
    'the same name, enrolled twice',
    held({ [NAME]: 'Ada', [FINGER]: 'x' }),
    seen({ [NAME]: ' ADA ', [FINGER]: 'y' }),
  ],
  ['no name there, another credential', held({ [NAME]: 'Ada', [CARD]: 'x' }), seen({ [FINGER]: 'y' })],
  ['an empty name there', held({ [NAME]: 'Ada' }), seen({ [NAME]: '', [FINGER]: 'y' })],
  [
    'a name edited where the user was brought to',
    held({ [NAME]: 'Jon' }),
    seen({ [NAME]: 'John', [FINGER]: 'y' }, 3),
  ],
  [
    'a finger taken anew where the user was brought to',
    held({ [NAME]: 'Jon', [FINGER]: 'x' }),
    seen({ [FINGER]: 'y' }, 3),
  ],
])('B16 one person: %s', (_, mine, theirs) => {
  expect(contradictions(mine, theirs)).toEqual([]);
});

test('B16 a terminal that holds what the gateway held before is no other person', () => {
  const mine: Held = {
    ...held({ [NAME]: 'Ada King' }),
    former: new Map([[NAME, [{ digest: fieldDigest(NAME, Buffer.from('Ada')), from: 1, until: 2 }]]]),
  };
  expect(contradictions(mine, seen({ [NAME]: 'Ada', [FINGER]: 'y' }))).toEqual([]);
  expect(contradictions(mine, seen({ [NAME]: 'Bob', [FINGER]: 'y' }))).toEqual([NAME]);
});

test('B16 nobody contradicts themselves, nor a part of themselves', () => {
  const some = fc.dictionary(
    fc.constantFrom(NAME, CARD, OTHER, FINGER).map(String),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(some, fc.nat(15), fc.option(fc.nat(9), { nil: undefined }), (fields, cut, delivered) => {
      const part = Object.fromEntries(Object.entries(fields).filter((_, i) => (cut & (1 << i)) !== 0));
      expect(contradictions(held(fields), seen(part, delivered))).toEqual([]);
    }),
  );
});
