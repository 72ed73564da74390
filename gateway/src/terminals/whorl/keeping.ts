import { Assembly, codeOf, DIGEST_BYTES } from '@whorl/protocol';
import type { Keeper } from '../driver.ts';

const HEAD_BYTES = 6 + DIGEST_BYTES;
const INDEX_BYTES = 2;
/** Chunks between two times that what has arrived is kept, or an eighth of the object: what a restart costs at most. */
const EVERY_CHUNKS = 8;

/** Keeps what arrives of an object, so that it need not come again after a restart. */
export class Keeping {
  readonly #keeper: Keeper | undefined;
  #kept = 0;
  #used = false;

  constructor(keeper: Keeper | undefined) {
    this.#keeper = keeper;
  }

  /** What was kept before; `undefined` for nothing, and for what cannot be read. */
  async earlier(): Promise<Assembly | undefined> {
    const bytes = await this.#keeper?.get();
    if (bytes === undefined) return undefined;
    this.#used = true;
    try {
      return assemblyOf(bytes);
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return undefined;
    }
  }

  /** Something of it has arrived. */
  async grown(assembly: Assembly): Promise<void> {
    const { count, size } = assembly.arrived;
    if (this.#keeper === undefined || count - this.#kept < Math.max(EVERY_CHUNKS, size / 8)) return;
    this.#kept = count;
    this.#used = true;
    await this.#keeper.put(bytesOf(assembly));
  }

  /** It is complete. */
  async over(): Promise<void> {
    if (this.#used) await this.#keeper?.put(undefined);
  }
}

/** Size (4), chunk (2), digest (16); then index (2) and bytes of each chunk that is there. */
function bytesOf(assembly: Assembly): Uint8Array {
  const { head, arrived } = assembly;
  const begin = Buffer.alloc(HEAD_BYTES);
  begin.writeUInt32LE(head.size, 0);
  begin.writeUInt16LE(head.chunk, 4);
  begin.set(head.digest, 6);
  const parts: Uint8Array[] = [begin];
  for (let index = 0; index < arrived.size; index += 1)
    if (arrived.has(index)) parts.push(Uint8Array.of(index, index >>> 8), assembly.chunk(index));
  return Buffer.concat(parts);
}

/** @throws WhorlError TRANSFER_SIZE */
function assemblyOf(bytes: Uint8Array): Assembly {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [size, chunk] = [view.getUint32(0, true), view.getUint16(4, true)];
  const assembly = new Assembly({ size, chunk, digest: bytes.slice(6, HEAD_BYTES) });
  for (let at = HEAD_BYTES; at + INDEX_BYTES < bytes.length;) {
    const index = view.getUint16(at, true);
    const from = at + INDEX_BYTES;
    at = from + Math.min(chunk, size - index * chunk);
    assembly.add(index, bytes.subarray(from, at));
  }
  return assembly;
}
