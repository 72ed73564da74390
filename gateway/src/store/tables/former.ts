import { DIGEST_BYTES, readRecord, recordOf, writeRecord } from '@whorl/protocol';
import type { Former } from '../store.ts';

const ENTRY_BYTES = DIGEST_BYTES + 8;

/** Former values as bytes: a record whose fields hold digest (16), first (4) and ending version (4) of each. */
export function writeFormer(user: number, former: ReadonlyMap<number, readonly Former[]>): Uint8Array {
  return writeRecord(
    recordOf(
      user,
      [...former].map(([field, entries]) => [field, joined(entries)]),
    ),
  );
}

export function readFormer(bytes: Uint8Array): ReadonlyMap<number, readonly Former[]> {
  return new Map([...readRecord(bytes).fields].map(([field, value]) => [field, split(value)]));
}

function joined(entries: readonly Former[]): Uint8Array {
  const out = Buffer.alloc(entries.length * ENTRY_BYTES);
  for (const [index, { digest, from, until }] of entries.entries()) {
    out.set(digest, index * ENTRY_BYTES);
    out.writeUInt32LE(from, index * ENTRY_BYTES + DIGEST_BYTES);
    out.writeUInt32LE(until, index * ENTRY_BYTES + DIGEST_BYTES + 4);
  }
  return out;
}

function split(value: Uint8Array): Former[] {
  const bytes = Buffer.from(value);
  const entries: Former[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES)
    entries.push({
      digest: Uint8Array.from(bytes.subarray(at, at + DIGEST_BYTES)),
      from: bytes.readUInt32LE(at + DIGEST_BYTES),
      until: bytes.readUInt32LE(at + DIGEST_BYTES + 4),
    });
  return entries;
}
