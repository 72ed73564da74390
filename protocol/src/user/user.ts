import { WhorlError } from '../errors.ts';
import { ACCESS_GROUPS_MAX, FIELDS } from './fields.ts';
import type { FieldName, FieldValue } from './fields.ts';
import { compileUser } from './compile.ts';
import { compileValue } from '../codec/compile.ts';
import type { Compiled } from '../codec/compile.ts';

/** A user with its fields by name and type: for people, for terminals' firmware, for tests. */
export type User = { readonly id: number } & { readonly [Name in FieldName]?: FieldValue<Name> | undefined };

const compiled = compileUser<User>();

/** A user of 10 fingers, 5 faces of 80 KiB and a photo fits. */
const scratch = new Uint8Array(512 * 1024);

/**
 * A user as bytes, in the form of record.ts.
 * @throws WhorlError MESSAGE_RANGE naming the field
 */
export function encodeUser(user: User): Uint8Array {
  return scratch.slice(0, encodeUserInto(user, scratch, 0));
}

/** As {@link encodeUser}, into `out` from `at` on; answers the position behind it. */
export function encodeUserInto(user: User, out: Uint8Array, at: number): number {
  return compiled.encode(user, out, at);
}

/**
 * Reads a user; blobs are views of `bytes`, fields of later releases are passed over.
 * @throws WhorlError MESSAGE_SHORT, MESSAGE_LONG, MESSAGE_RANGE, USER_ORDER naming the field
 */
export function decodeUser(bytes: Uint8Array): User {
  return compiled.decode(bytes, 0, bytes.length);
}

const values = new Map<FieldName, Compiled<unknown>>();

function valueCodec(name: FieldName): Compiled<unknown> {
  const known = values.get(name) ?? compileValue<unknown>(`user ${name}`, FIELDS[name].codec);
  values.set(name, known);
  return known;
}

/** One field's value as its bytes on the wire. @throws WhorlError MESSAGE_RANGE */
export function encodeField<Name extends FieldName>(name: Name, value: FieldValue<Name>): Uint8Array {
  return scratch.slice(0, valueCodec(name).encode(value, scratch, 0));
}

/** One field's value from its bytes. @throws WhorlError MESSAGE_SHORT, MESSAGE_LONG, MESSAGE_RANGE */
export function decodeField<Name extends FieldName>(name: Name, bytes: Uint8Array): FieldValue<Name> {
  return valueCodec(name).decode(bytes, 0, bytes.length) as FieldValue<Name>;
}

/** Sorts and removes doubles, as the wire wants access groups. @throws WhorlError MESSAGE_RANGE for more than a user can have */
export function accessGroups(groups: Iterable<number>): number[] {
  const sorted = [...new Set(groups)].sort((a, b) => a - b);
  if (sorted.some((group) => !Number.isInteger(group) || group < 1 || group > 0xffff)) {
    throw new WhorlError('MESSAGE_RANGE', 'an access group is a whole number from 1 to 65535');
  }
  if (sorted.length > ACCESS_GROUPS_MAX)
    throw new WhorlError('MESSAGE_RANGE', `a user has at most ${ACCESS_GROUPS_MAX.toString()} access groups`);
  return sorted;
}
