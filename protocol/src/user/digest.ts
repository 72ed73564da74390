import { hash } from 'node:crypto';
import type { UserRecord } from './record.ts';

/** Bytes of a digest: SHA-256 cut to 128 bits, which no accident makes collide. */
export const DIGEST_BYTES = 16;

/** What nothing digests to: the table digest of a terminal without users. */
export const NO_DIGEST = new Uint8Array(DIGEST_BYTES);

/** SHA-256 of an object's bytes, cut to 16 bytes. */
export function digestOf(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset } = hash('sha256', bytes, 'buffer');
  return new Uint8Array(buffer, byteOffset, DIGEST_BYTES);
}

/** Digest of one field: of its number (1 byte) and its value. */
export function fieldDigest(number: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + value.length);
  bytes[0] = number;
  bytes.set(value, 1);
  return digestOf(bytes);
}

/** Digest of a user: of its id (4 bytes) and, in ascending order, each field's number and digest. */
export function recordDigest(record: UserRecord): Uint8Array {
  const digests = new Map<number, Uint8Array>();
  for (const [number, value] of record.fields) digests.set(number, fieldDigest(number, value));
  return digestFrom(record.id, digests);
}

/** The digest of a user from those of its fields, ascending by number: as {@link recordDigest}, without the values. */
export function digestFrom(id: number, digests: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const bytes = new Uint8Array(4 + digests.size * (1 + DIGEST_BYTES));
  new DataView(bytes.buffer).setUint32(0, id, true);
  let at = 4;
  for (const [number, digest] of digests) {
    bytes[at] = number;
    bytes.set(digest, at + 1);
    at += 1 + DIGEST_BYTES;
  }
  return digestOf(bytes);
}

/**
 * Adds a user's digest to (or takes it from) a table's: exclusive or, so that a terminal keeps its table's digest up
 * to date with one step a change, whatever the order.
 */
export function toggled(table: Uint8Array, record: Uint8Array): Uint8Array {
  return table.map((byte, i) => byte ^ (record[i] ?? 0));
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
