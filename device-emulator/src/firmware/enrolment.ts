import {
  accessGroups,
  CARD_SLOTS,
  encodeField,
  encodeUser,
  FACE_SLOTS,
  FIELDS,
  FINGER_SLOTS,
  readRecord,
  recordOf,
  WhorlError,
} from '@whorl/protocol';
import type { CredentialKind, FieldName, Random, User, UserRecord } from '@whorl/protocol';
import type { Model } from './model.ts';
import { readCard, readFace, readFinger } from './readers.ts';

/** Fields of a user by name. */
export type UserFields = Partial<Omit<User, 'id'>>;

/** An enrolment at the terminal: a new user, or more for one who is there. What is read is random, but for `set`. */
export interface Enrolment {
  /** The id above the highest when not given. */
  readonly user?: number | undefined;
  readonly name?: string | undefined;
  readonly groups?: readonly number[] | undefined;
  /** Slot of the finger that is pressed. */
  readonly finger?: number | undefined;
  /** So many fingers, from slot 0 on. */
  readonly fingers?: number | undefined;
  /** Slot of the card that is held to the reader, with its number when it is a certain one. */
  readonly card?: number | { readonly slot: number; readonly number: Uint8Array } | undefined;
  /** Slot of the face. */
  readonly face?: number | undefined;
  /** Any fields as they shall be. */
  readonly set?: UserFields | undefined;
}

const SLOTS: Readonly<Record<CredentialKind, number>> = {
  card: CARD_SLOTS,
  finger: FINGER_SLOTS,
  face: FACE_SLOTS,
};

/**
 * The fields that an enrolment gives, by number.
 * @throws WhorlError TERMINAL_CANNOT_HOLD for a slot that no terminal has, MESSAGE_RANGE
 */
export function enrolledFields(enrolment: Enrolment, model: Model, random: Random): Map<number, Uint8Array> {
  const { name, groups, finger, fingers = 0, card, face, set = {} } = enrolment;
  const fields = new Map(fieldsOf({ name, groups, ...set }));
  const pressed = new Set(Array.from({ length: fingers }, (_, slot) => slot));
  if (finger !== undefined) pressed.add(finger);
  for (const slot of pressed)
    fields.set(slotNumber('finger', slot), encodeField('finger.0', readFinger(model, random)));
  if (card !== undefined) {
    const { slot, number } = typeof card === 'number' ? { slot: card, number: undefined } : card;
    fields.set(slotNumber('card', slot), encodeField('card.0', readCard(model, random, number)));
  }
  if (face !== undefined)
    fields.set(slotNumber('face', face), encodeField('face.0', readFace(model, random)));
  return fields;
}

/** Fields as their bytes on the wire, by number; access groups in any order. @throws WhorlError MESSAGE_RANGE */
export function fieldsOf({ groups, ...fields }: UserFields): ReadonlyMap<number, Uint8Array> {
  const sorted = groups === undefined ? {} : { groups: accessGroups(groups) };
  return readRecord(encodeUser({ ...fields, ...sorted, id: 0 })).fields;
}

/** A user with some fields set and some cleared. */
export function overlay(
  id: number,
  before: UserRecord | undefined,
  set: Iterable<readonly [number, Uint8Array]>,
  clear: readonly FieldName[] = [],
): UserRecord {
  const fields = new Map(before?.fields);
  for (const name of clear) fields.delete(FIELDS[name].number);
  for (const [number, value] of set) fields.set(number, value);
  return recordOf(id, fields);
}

/** Slots of a kind have one codec and numbers that follow one another. */
function slotNumber(kind: CredentialKind, slot: number): number {
  if (!Number.isInteger(slot) || slot < 0 || slot >= SLOTS[kind])
    throw new WhorlError(
      'TERMINAL_CANNOT_HOLD',
      `${kind} slot ${slot.toString()}: there are slots 0 to ${(SLOTS[kind] - 1).toString()}`,
    );
  return FIELDS[`${kind}.0`].number + slot;
}
