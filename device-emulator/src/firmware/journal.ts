import { crc32 } from 'node:zlib';
import type { Flash } from './flash.ts';
import { readOps, writeOp } from './ops.ts';
import type { Op } from './ops.ts';

/** Length (4) and CRC-32 (4) of the changes that follow. */
const HEAD_BYTES = 8;
/** Below this, writing everything again is not worth it. */
const SMALL_BYTES = 64 * 1024;

/**
 * What a terminal keeps, as the changes that led to it. Each entry is a set of changes that happened together, with a
 * checksum: an entry whose end was not written is as if it had never been begun.
 */
export class Journal {
  readonly #flash: Flash;
  #size = 0;
  #compacted = 0;
  #broken = false;

  constructor(flash: Flash) {
    this.#flash = flash;
  }

  /**
   * Calls `apply` with each change stored, oldest first.
   * @returns whether there were any
   */
  replay(apply: (op: Op) => void): boolean {
    const stored = this.#flash.read();
    const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
    let at = 0;
    for (;;) {
      const end = entryEnd(stored, view, at);
      if (end === undefined) break;
      for (const op of readOps(stored.subarray(at + HEAD_BYTES, end))) apply(op);
      at = end;
    }
    this.#size = at;
    this.#compacted = 0;
    // What comes behind a torn entry would never be read again.
    this.#broken = at !== stored.length;
    return at > 0;
  }

  /** Stores changes that belong together. @throws WhorlError FLASH_FAILED; PowerCut */
  append(ops: readonly Op[], durable: boolean): void {
    const parts = entry(ops);
    try {
      this.#flash.append(parts, durable);
    } catch (error) {
      this.#broken = true;
      throw error;
    }
    this.#size += sizeOf(parts);
  }

  /** Stores whole entries that nothing makes history of soon. @throws as {@link Journal.append} */
  appendEntries(entries: readonly Uint8Array[]): void {
    this.#flash.append(entries, true);
    this.#size += sizeOf(entries);
    this.#compacted += sizeOf(entries);
  }

  /** Whether {@link compact} must, or should, be called before the next change. */
  get due(): boolean {
    return this.#broken || this.#size > Math.max(SMALL_BYTES, 2 * this.#compacted);
  }

  /** Replaces everything stored by the changes that make the state of now out of nothing. */
  compact(ops: Iterable<Op>): void {
    const parts = entriesOf(ops);
    this.#flash.replace(parts);
    this.#size = this.#compacted = sizeOf(parts);
    this.#broken = false;
  }

  close(): void {
    this.#flash.close();
  }
}

/** A snapshot in entries of bounded size, so that no single checksum spans megabytes. */
const OPS_PER_ENTRY = 500;

/** Changes as entries, one behind the other. */
export function entriesOf(ops: Iterable<Op>): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let some: Op[] = [];
  for (const op of ops) {
    some.push(op);
    if (some.length < OPS_PER_ENTRY) continue;
    parts.push(...entry(some));
    some = [];
  }
  if (some.length > 0) parts.push(...entry(some));
  return parts;
}

function entry(ops: readonly Op[]): Uint8Array[] {
  const body = ops.flatMap(writeOp);
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, sizeOf(body), true);
  view.setUint32(
    4,
    body.reduce((crc, part) => crc32(part, crc), 0),
    true,
  );
  return [head, ...body];
}

/** Where the entry at `at` ends; `undefined` when it is torn or there is none. */
function entryEnd(stored: Uint8Array, view: DataView, at: number): number | undefined {
  if (at + HEAD_BYTES > stored.length) return undefined;
  const length = view.getUint32(at, true);
  const end = at + HEAD_BYTES + length;
  if (length === 0 || end > stored.length) return undefined;
  return crc32(stored.subarray(at + HEAD_BYTES, end)) === view.getUint32(at + 4, true) ? end : undefined;
}

function sizeOf(parts: readonly Uint8Array[]): number {
  let size = 0;
  for (const part of parts) size += part.length;
  return size;
}
