import { blob, group, list, oneOf, rest, restText, u16, u32, u8 } from '../codec/codec.ts';
import type { Codec, Value } from '../codec/codec.ts';

/**
 * A user's fields by number. A number below 0x40 has a length of one byte on the wire, one below 0x80 of two, one
 * from 0x80 on of four: so a release can carry fields that it does not know.
 */
interface FieldRow {
  readonly number: number;
  readonly codec: Codec;
  /** A template or something as private: encrypted at rest, masked wherever it might be shown. */
  readonly secret?: true;
  readonly doc: string;
}

export const TEMPLATE_MAX_BYTES = 384;
export const FACE_MAX_BYTES = 80 * 1024;
export const PHOTO_MAX_BYTES = 64 * 1024;
export const ACCESS_GROUPS_MAX = 32;

const card = group('A card.', {
  format: u8('Card technology and bit layout, as the terminal names it.'),
  number: rest('The card number, most significant byte first.', 32),
});

const finger = group('A finger: two templates of it, taken one after the other.', {
  format: u8('Template format, as the terminal names it.'),
  quality: u8('Quality of the worse of the two templates.', { unit: '%', max: 100 }),
  first: blob('First template.', TEMPLATE_MAX_BYTES, { secret: true }),
  second: blob('Second template.', TEMPLATE_MAX_BYTES, { secret: true }),
});

const face = group('A face.', {
  format: u8('Template format, as the terminal names it.'),
  quality: u8('Quality of the template.', { unit: '%', max: 100 }),
  template: rest('The template.', FACE_MAX_BYTES, { secret: true }),
});

/** Milliseconds fit the wire no better: doors open and close on seconds. */
const validity = group('When doors open for this user.', {
  from: u32('First second; 0 means always.', { unit: 's UTC' }),
  until: u32('First second no longer valid; 0 means for ever.', { unit: 's UTC' }),
});

const authMode = oneOf('What the user must show at a door.', {
  any: 0,
  card: 1,
  finger: 2,
  face: 3,
  'card+pin': 4,
  'card+finger': 5,
  'finger+pin': 6,
  'face+pin': 7,
});

export const FIELDS = {
  name: { number: 0x01, codec: restText('The name.', 64), doc: 'Name, as shown at the terminal.' },
  validity: { number: 0x02, codec: validity, doc: 'First and last second of validity.' },
  pin: {
    number: 0x03,
    codec: rest('The verifier.', 96, { secret: true }),
    secret: true,
    doc: 'PIN verifier; never the PIN.',
  },
  authMode: { number: 0x04, codec: authMode, doc: 'What must be shown at a door.' },
  groups: {
    number: 0x05,
    codec: list('Access groups, ascending.', u16('Access group.', { min: 1 }), ACCESS_GROUPS_MAX),
    doc: 'Access groups.',
  },
  'card.0': { number: 0x10, codec: card, doc: 'Card slot 0.' },
  'card.1': { number: 0x11, codec: card, doc: 'Card slot 1.' },
  'card.2': { number: 0x12, codec: card, doc: 'Card slot 2.' },
  'card.3': { number: 0x13, codec: card, doc: 'Card slot 3.' },
  'card.4': { number: 0x14, codec: card, doc: 'Card slot 4.' },
  'card.5': { number: 0x15, codec: card, doc: 'Card slot 5.' },
  'card.6': { number: 0x16, codec: card, doc: 'Card slot 6.' },
  'card.7': { number: 0x17, codec: card, doc: 'Card slot 7.' },
  'finger.0': { number: 0x40, codec: finger, secret: true, doc: 'Finger slot 0.' },
  'finger.1': { number: 0x41, codec: finger, secret: true, doc: 'Finger slot 1.' },
  'finger.2': { number: 0x42, codec: finger, secret: true, doc: 'Finger slot 2.' },
  'finger.3': { number: 0x43, codec: finger, secret: true, doc: 'Finger slot 3.' },
  'finger.4': { number: 0x44, codec: finger, secret: true, doc: 'Finger slot 4.' },
  'finger.5': { number: 0x45, codec: finger, secret: true, doc: 'Finger slot 5.' },
  'finger.6': { number: 0x46, codec: finger, secret: true, doc: 'Finger slot 6.' },
  'finger.7': { number: 0x47, codec: finger, secret: true, doc: 'Finger slot 7.' },
  'finger.8': { number: 0x48, codec: finger, secret: true, doc: 'Finger slot 8.' },
  'finger.9': { number: 0x49, codec: finger, secret: true, doc: 'Finger slot 9.' },
  photo: {
    number: 0x80,
    codec: rest('JPEG.', PHOTO_MAX_BYTES, { secret: true }),
    secret: true,
    doc: 'Photo, JPEG.',
  },
  'face.0': { number: 0x90, codec: face, secret: true, doc: 'Face slot 0.' },
  'face.1': { number: 0x91, codec: face, secret: true, doc: 'Face slot 1.' },
  'face.2': { number: 0x92, codec: face, secret: true, doc: 'Face slot 2.' },
  'face.3': { number: 0x93, codec: face, secret: true, doc: 'Face slot 3.' },
  'face.4': { number: 0x94, codec: face, secret: true, doc: 'Face slot 4.' },
} as const satisfies Record<string, FieldRow>;

export type FieldName = keyof typeof FIELDS;
export type FieldValue<Name extends FieldName> = Value<(typeof FIELDS)[Name]['codec']>;
export type CredentialKind = 'card' | 'finger' | 'face';

export const CARD_SLOTS = 8;
export const FINGER_SLOTS = 10;
export const FACE_SLOTS = 5;

/** All names, in the order of their numbers, which is their order in a record. */
export const FIELD_NAMES: readonly FieldName[] = (Object.keys(FIELDS) as FieldName[]).sort(
  (a, b) => FIELDS[a].number - FIELDS[b].number,
);

const byNumber = new Map<number, FieldName>(FIELD_NAMES.map((name) => [FIELDS[name].number, name]));

/** The name of a field number; `undefined` for one of a later release. */
export function fieldName(number: number): FieldName | undefined {
  return byNumber.get(number);
}

export function isFieldName(text: string): text is FieldName {
  return Object.hasOwn(FIELDS, text);
}

/** A field for people: its name, or its number when a later release made it. */
export function showField(number: number): string {
  return byNumber.get(number) ?? `field 0x${number.toString(16).padStart(2, '0')}`;
}

/** Whether a field must never be shown and is encrypted at rest; unknown ones are taken to be. */
export function isSecretField(number: number): boolean {
  const name = byNumber.get(number);
  return name === undefined || 'secret' in FIELDS[name];
}

/** Which kind of credential a field number holds, and in which slot. */
export function credentialOf(number: number): { kind: CredentialKind; slot: number } | undefined {
  const name = byNumber.get(number);
  const match = name === undefined ? null : /^(card|finger|face)\.(\d)$/.exec(name);
  return match === null ? undefined : { kind: match[1] as CredentialKind, slot: Number(match[2]) };
}
