import {
  fieldDigest,
  KNOWN_DIGEST_BYTES,
  KNOWN_FIELDS,
  patchOf,
  recordDigest,
  recordOf,
  recordSize,
  sameBytes,
  WhorlError,
  wholePatch,
  writeBatch,
  writePatches,
} from '@whorl/protocol';
import type { Body, ObjectKind, UserRecord } from '@whorl/protocol';
import type { Outgoing } from '../driver.ts';

/** What a `user.pull` takes beside its list of fields, and the frame around it. */
const PULL_BYTES = 40;

/** Users as an object. */
export interface Parcel {
  readonly kind: ObjectKind;
  readonly object: Uint8Array;
}

/** Only what changed of those of whom it is known what the terminal holds, where that is less than the whole user. */
export function parcelOf(users: readonly Outgoing[], patches: boolean): Parcel {
  const records = users.map(({ record }) => record);
  const changes = users.map(({ record, held }) => {
    const patch = held === undefined || !patches ? undefined : patchOf(record, held);
    return patch !== undefined && recordSize(patch.changed) < recordSize(record) ? patch : undefined;
  });
  if (changes.every((change) => change === undefined)) return { kind: 'users', object: writeBatch(records) };
  const all = records.map((record, index) => changes[index] ?? wholePatch(record));
  return { kind: 'patches', object: writePatches(all) };
}

/**
 * What the gateway has of a user, for the terminal to leave out what is the same: fields that are longer than their
 * digests, largest first, as many as a request has room for.
 */
export function knownFields(known: UserRecord | undefined, mtu: number): Body<'user.pull'>['known'] {
  const most = Math.min(KNOWN_FIELDS, Math.floor((mtu - PULL_BYTES) / (1 + KNOWN_DIGEST_BYTES)));
  return [...(known?.fields ?? [])]
    .filter(([, value]) => value.length > KNOWN_DIGEST_BYTES)
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, most)
    .map(([field, value]) => ({
      field,
      digest: fieldDigest(field, value).subarray(0, KNOWN_DIGEST_BYTES),
    }));
}

/**
 * The whole user: what was fetched, and what the gateway has the same of.
 * @throws WhorlError TRANSFER_DIGEST when that is not the user that the terminal holds
 */
export function completed(
  fetched: UserRecord,
  { user, same }: Body<'transfer.offered'>,
  known: UserRecord | undefined,
): UserRecord {
  const fields = new Map(fetched.fields);
  for (const number of same) {
    const value = known?.fields.get(number);
    if (value !== undefined) fields.set(number, value);
  }
  const record = recordOf(fetched.id, fields);
  if (!sameBytes(recordDigest(record), user))
    throw new WhorlError(
      'TRANSFER_DIGEST',
      `user ${fetched.id}: what was fetched is not what the terminal holds`,
    );
  return record;
}
