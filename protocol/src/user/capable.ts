import type { Capabilities } from '../messages/catalogue.ts';
import { credentialOf, fieldName } from './fields.ts';
import type { UserRecord } from './record.ts';

/** The part of a user that a terminal can hold: the other fields are not sent to it and not missed there. */
export function fitting(record: UserRecord, capabilities: Capabilities): UserRecord {
  const fields = new Map<number, Uint8Array>();
  for (const [number, value] of record.fields)
    if (canHold(capabilities, number, value)) fields.set(number, value);
  return fields.size === record.fields.size ? record : { id: record.id, fields };
}

/** Those of some fields for which a terminal has room, whatever their values. */
export function fittingFields<T>(
  fields: ReadonlyMap<number, T>,
  capabilities: Capabilities,
): ReadonlyMap<number, T> {
  return new Map([...fields].filter(([number]) => hasField(capabilities, number)));
}

/** Whether a terminal takes this field with this value: its slot, and its format by the value's first byte. */
export function canHold(capabilities: Capabilities, number: number, value: Uint8Array): boolean {
  const credential = credentialOf(number);
  if (credential === undefined) return hasField(capabilities, number);
  const { formats } = limits(capabilities)[credential.kind];
  return hasField(capabilities, number) && formats.includes(value[0] ?? 0);
}

function hasField(capabilities: Capabilities, number: number): boolean {
  const credential = credentialOf(number);
  if (credential !== undefined) return credential.slot < limits(capabilities)[credential.kind].slots;
  const name = fieldName(number);
  switch (name) {
    case 'name':
      return true;
    case 'validity':
    case 'pin':
    case 'authMode':
    case 'groups':
    case 'photo':
      return capabilities.holds[name];
    default:
      return false;
  }
}

function limits(
  capabilities: Capabilities,
): Record<'card' | 'finger' | 'face', { slots: number; formats: readonly number[] }> {
  return {
    card: { slots: capabilities.cards, formats: capabilities.cardFormats },
    finger: { slots: capabilities.fingers, formats: capabilities.fingerFormats },
    face: { slots: capabilities.faces, formats: capabilities.faceFormats },
  };
}
