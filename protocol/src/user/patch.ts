import { WhorlError } from '../errors.ts';
import { readItems, writeItems } from './batch.ts';
import { DIGEST_BYTES, digestFrom, fieldDigest, NO_DIGEST, recordDigest, sameBytes } from './digest.ts';
import { readRecord, recordOf, writeRecord } from './record.ts';
import type { UserRecord } from './record.ts';

/** What makes a user out of the one that a terminal holds, so that only fields that changed have to travel. */
export interface UserPatch {
  /** Digest of the user that it begins from; {@link NO_DIGEST} for a whole user, who replaces whoever is there. */
  readonly base: Uint8Array;
  /** Fields that are to be vacant, ascending. */
  readonly removed: readonly number[];
  /** Id, and the fields that are new or have another value. */
  readonly changed: UserRecord;
}

export function wholePatch(record: UserRecord): UserPatch {
  return { base: NO_DIGEST, removed: [], changed: record };
}

/** @param held digests of the fields that the terminal holds, by number */
export function patchOf(record: UserRecord, held: ReadonlyMap<number, Uint8Array>): UserPatch {
  const changed = [...record.fields].filter(([number, value]) => {
    const digest = held.get(number);
    return digest === undefined || !sameBytes(digest, fieldDigest(number, value));
  });
  const numbers = [...held.keys()].sort((a, b) => a - b);
  return {
    base: digestFrom(record.id, new Map(numbers.map((number) => [number, held.get(number) ?? NO_DIGEST]))),
    removed: numbers.filter((number) => !record.fields.has(number)),
    changed: recordOf(record.id, changed),
  };
}

/** The user that a patch makes; `undefined` when it begins from another one than `held`. */
export function patched(held: UserRecord | undefined, patch: UserPatch): UserRecord | undefined {
  if (sameBytes(patch.base, NO_DIGEST)) return patch.changed;
  if (held === undefined || !sameBytes(recordDigest(held), patch.base)) return undefined;
  const fields = new Map(held.fields);
  for (const number of patch.removed) fields.delete(number);
  for (const [number, value] of patch.changed.fields) fields.set(number, value);
  return recordOf(held.id, fields);
}

/**
 * Several patches as one object: of each its length (4 bytes), base (16), how many fields are removed (1), their
 * numbers, and the record of the changed ones.
 * @throws WhorlError MESSAGE_LONG, MESSAGE_RANGE
 */
export function writePatches(patches: readonly UserPatch[]): Uint8Array {
  return writeItems(
    patches.map(({ base, removed, changed }) =>
      Buffer.concat([base, Uint8Array.of(removed.length), Uint8Array.from(removed), writeRecord(changed)]),
    ),
  );
}

/** @throws WhorlError MESSAGE_SHORT, MESSAGE_LONG, MESSAGE_RANGE, USER_ORDER */
export function readPatches(bytes: Uint8Array): UserPatch[] {
  return readItems(bytes).map((item) => {
    const from = DIGEST_BYTES + 1;
    const count = item[DIGEST_BYTES];
    if (count === undefined || item.length < from + count)
      throw new WhorlError('MESSAGE_SHORT', 'users: a patch');
    const removed = [...item.subarray(from, from + count)];
    if (removed.some((number, i) => number <= (removed[i - 1] ?? -1)))
      throw new WhorlError('USER_ORDER', 'fields that are removed');
    return { base: item.slice(0, DIGEST_BYTES), removed, changed: readRecord(item.subarray(from + count)) };
  });
}
