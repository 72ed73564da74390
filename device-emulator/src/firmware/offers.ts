import { chunkAt, chunkCount, digestOf, sameBytes } from '@whorl/protocol';
import type { ObjectHead } from '@whorl/protocol';

/** Objects held ready at once; the oldest gives way. */
const OFFERS_MAX = 4;

interface Offer {
  readonly head: ObjectHead;
  readonly bytes: Uint8Array;
}

/** Objects that the gateway may fetch, in memory: after a restart it asks for them again. */
export class Offers {
  readonly #objects = new Map<number, Offer>();
  #next: number;

  /** @param first number of the first transfer, so that numbers of before a restart do not come again at once */
  constructor(first: number) {
    this.#next = first;
  }

  /** Holds an object ready in chunks of `chunk` bytes; the same object keeps its number. */
  add(bytes: Uint8Array, chunk: number): { transfer: number; head: ObjectHead } {
    const head = { size: bytes.length, chunk, digest: digestOf(bytes) };
    const transfer = this.#find(head) ?? this.#number();
    this.#objects.delete(transfer);
    this.#objects.set(transfer, { head, bytes });
    const oldest = this.#objects.keys().next().value;
    if (this.#objects.size > OFFERS_MAX && oldest !== undefined) this.#objects.delete(oldest);
    return { transfer, head };
  }

  /** Chunks `first` to `first + count - 1` of an object, as far as it goes; `undefined` for an object not on offer. */
  chunks(transfer: number, first: number, count: number): { index: number; data: Uint8Array }[] | undefined {
    const offer = this.#objects.get(transfer);
    if (offer === undefined) return undefined;
    const end = Math.min(first + count, chunkCount(offer.head));
    const chunks: { index: number; data: Uint8Array }[] = [];
    for (let index = first; index < end; index += 1)
      chunks.push({ index, data: chunkAt(offer.bytes, offer.head.chunk, index) });
    return chunks;
  }

  clear(): void {
    this.#objects.clear();
  }

  #find(head: ObjectHead): number | undefined {
    for (const [transfer, { head: known }] of this.#objects)
      if (known.chunk === head.chunk && sameBytes(known.digest, head.digest)) return transfer;
    return undefined;
  }

  #number(): number {
    const number = this.#next;
    this.#next = (this.#next + 1) & 0xffff;
    return number;
  }
}
