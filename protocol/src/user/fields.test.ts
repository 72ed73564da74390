import { describe, expect, test } from 'vitest';
import {
  CARD_SLOTS,
  credentialOf,
  FACE_SLOTS,
  FIELD_NAMES,
  fieldName,
  FIELDS,
  FINGER_SLOTS,
  isFieldName,
  isSecretField,
  showField,
} from './fields.ts';
import { lengthWidth } from './record.ts';

describe('the field table', () => {
  test('gives each field a number of its own, and lists them in that order', () => {
    const numbers = FIELD_NAMES.map((name) => FIELDS[name].number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    for (const name of FIELD_NAMES) expect(fieldName(FIELDS[name].number)).toBe(name);
  });

  test('gives numbers whose length on the wire takes the largest value', () => {
    const largest: Record<1 | 2 | 4, number> = { 1: 0xff, 2: 0xffff, 4: 0xffffffff };
    const size: Partial<Record<string, number>> = {
      finger: 2 + 2 * (2 + 384),
      card: 33,
      face: 2 + 80 * 1024,
      photo: 64 * 1024,
    };
    for (const name of FIELD_NAMES) {
      const bytes = size[name.split('.')[0] ?? ''] ?? 96;
      expect(bytes, name).toBeLessThanOrEqual(largest[lengthWidth(FIELDS[name].number)]);
    }
  });

  test('has as many slots as it says', () => {
    const slots = (kind: string): number => FIELD_NAMES.filter((name) => name.startsWith(`${kind}.`)).length;
    expect([slots('card'), slots('finger'), slots('face')]).toEqual([CARD_SLOTS, FINGER_SLOTS, FACE_SLOTS]);
  });
});

test('a credential is told by its field number', () => {
  expect(credentialOf(FIELDS['finger.9'].number)).toEqual({ kind: 'finger', slot: 9 });
  expect(credentialOf(FIELDS['card.0'].number)).toEqual({ kind: 'card', slot: 0 });
  expect(credentialOf(FIELDS.name.number)).toBeUndefined();
  expect(credentialOf(0xfe)).toBeUndefined();
});

test('G7 templates, photo, PIN verifier and whatever is unknown are secret', () => {
  const open = FIELD_NAMES.filter((name) => !isSecretField(FIELDS[name].number));
  expect(open.every((name) => /^(name|validity|authMode|groups|card\.\d)$/.test(name))).toBe(true);
  expect(isSecretField(0xfe)).toBe(true);
});

test('a field is shown by its name, or by its number when a later release made it', () => {
  expect(showField(FIELDS['finger.3'].number)).toBe('finger.3');
  expect(showField(0x0f)).toBe('field 0x0f');
});

test('a name is one only when the table has it', () => {
  expect(isFieldName('photo')).toBe(true);
  expect(isFieldName('toString')).toBe(false);
});
