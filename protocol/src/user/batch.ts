import { WhorlError } from '../errors.ts';
import { digestOf, DIGEST_BYTES } from './digest.ts';
import { readRecord, writeRecord } from './record.ts';
import type { UserRecord } from './record.ts';

/** Users in one object, at most: a terminal tells refused items by one byte. */
export const BATCH_MAX_USERS = 200;

const LENGTH_BYTES = 4;

/**
 * Several users as one object: each record with its length (4 bytes) before it.
 * @throws WhorlError MESSAGE_LONG for more than BATCH_MAX_USERS, MESSAGE_RANGE
 */
export function writeBatch(records: readonly UserRecord[]): Uint8Array {
  return writeItems(records.map(writeRecord));
}

/** @throws WhorlError MESSAGE_SHORT, MESSAGE_LONG, USER_ORDER */
export function readBatch(bytes: Uint8Array): UserRecord[] {
  return readItems(bytes).map(readRecord);
}

/** @throws WhorlError MESSAGE_LONG for more than BATCH_MAX_USERS */
export function writeItems(items: readonly Uint8Array[]): Uint8Array {
  if (items.length > BATCH_MAX_USERS) throw tooMany();
  const out = new Uint8Array(items.reduce((size, item) => size + LENGTH_BYTES + item.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const item of items) {
    view.setUint32(at, item.length, true);
    out.set(item, at + LENGTH_BYTES);
    at += LENGTH_BYTES + item.length;
  }
  return out;
}

/** @returns views of `bytes`. @throws WhorlError MESSAGE_SHORT, MESSAGE_LONG */
export function readItems(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (items.length === BATCH_MAX_USERS) throw tooMany();
    if (at + LENGTH_BYTES > bytes.length) throw new WhorlError('MESSAGE_SHORT', 'users: length of a record');
    const length = view.getUint32(at, true);
    at += LENGTH_BYTES;
    if (length > bytes.length - at) throw new WhorlError('MESSAGE_SHORT', 'users: record');
    items.push(bytes.subarray(at, at + length));
    at += length;
  }
  return items;
}

function tooMany(): WhorlError {
  return new WhorlError('MESSAGE_LONG', `more than ${BATCH_MAX_USERS.toString()} users in an object`);
}

/** What a terminal answers after a commit: the digest of its users' digests, in the order of the batch. */
export function batchDigest(digests: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(digests.length * DIGEST_BYTES);
  for (const [i, digest] of digests.entries()) bytes.set(digest, i * DIGEST_BYTES);
  return digestOf(bytes);
}
