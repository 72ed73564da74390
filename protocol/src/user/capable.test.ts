import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Capabilities } from '../messages/catalogue.ts';
import { arbitraryUser } from './arbitrary.ts';
import { canHold, fitting } from './capable.ts';
import { FIELDS } from './fields.ts';
import { readRecord, recordOf } from './record.ts';
import { encodeField, encodeUser } from './user.ts';

const CARDS_ONLY: Capabilities = {
  users: 1000,
  logs: 1000,
  cards: 2,
  fingers: 0,
  faces: 0,
  does: { patches: true, portable: false, clock: true },
  holds: { validity: true, pin: false, authMode: false, groups: true, photo: false },
  cardFormats: [1],
  fingerFormats: [],
  faceFormats: [],
  mtu: 256,
  window: 1,
};

const card = (format: number): Uint8Array => encodeField('card.0', { format, number: Uint8Array.of(1) });

describe('what a terminal can hold', () => {
  test('B12 is told by slot and format for credentials', () => {
    expect(canHold(CARDS_ONLY, FIELDS['card.1'].number, card(1))).toBe(true);
    expect(canHold(CARDS_ONLY, FIELDS['card.2'].number, card(1))).toBe(false);
    expect(canHold(CARDS_ONLY, FIELDS['card.1'].number, card(2))).toBe(false);
    expect(canHold(CARDS_ONLY, FIELDS['finger.0'].number, card(1))).toBe(false);
    expect(canHold(CARDS_ONLY, FIELDS['card.1'].number, new Uint8Array(0))).toBe(false);
  });

  test('is told by its flags for other fields; a name it always holds, what is unknown never', () => {
    const none = new Uint8Array(0);
    expect(canHold(CARDS_ONLY, FIELDS.name.number, none)).toBe(true);
    expect(canHold(CARDS_ONLY, FIELDS.validity.number, none)).toBe(true);
    expect(canHold(CARDS_ONLY, FIELDS.photo.number, none)).toBe(false);
    expect(canHold(CARDS_ONLY, 0xfe, none)).toBe(false);
  });
});

describe('the part of a user that fits', () => {
  test('B14 is every field that can be held, untouched, and no other; nothing is left to cut from it', () => {
    fc.assert(
      fc.property(arbitraryUser(), (user) => {
        const record = readRecord(encodeUser(user));
        const part = fitting(record, CARDS_ONLY);
        const held = [...record.fields].filter(([number, value]) => canHold(CARDS_ONLY, number, value));
        expect(part).toEqual(recordOf(record.id, held));
        expect(fitting(part, CARDS_ONLY)).toBe(part);
      }),
    );
  });
});
