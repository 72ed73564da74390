import { WhorlError } from '../errors.ts';
import { TRANSFER_MAX_BYTES } from '../messages/catalogue.ts';
import { digestOf, sameBytes } from '../user/digest.ts';
import { Bitmap } from './bitmap.ts';

/** What is known of an object before its first chunk. */
export interface ObjectHead {
  /** Bytes. */
  readonly size: number;
  /** Bytes of each chunk but the last. */
  readonly chunk: number;
  readonly digest: Uint8Array;
}

export function chunkCount(head: Pick<ObjectHead, 'size' | 'chunk'>): number {
  return Math.ceil(head.size / head.chunk);
}

/** Chunk `index` of an object, a view of it. */
export function chunkAt(object: Uint8Array, chunk: number, index: number): Uint8Array {
  return object.subarray(index * chunk, (index + 1) * chunk);
}

export function sameObject(a: ObjectHead, b: ObjectHead): boolean {
  return a.size === b.size && a.chunk === b.chunk && sameBytes(a.digest, b.digest);
}

/** An object that is arriving, chunk by chunk, in any order and however often. */
export class Assembly {
  readonly head: ObjectHead;
  readonly arrived: Bitmap;
  readonly #bytes: Uint8Array;

  /** @throws WhorlError TRANSFER_SIZE for an object larger than any may be */
  constructor(head: ObjectHead) {
    if (head.size > TRANSFER_MAX_BYTES || head.chunk < 1) {
      throw new WhorlError(
        'TRANSFER_SIZE',
        `an object of ${head.size.toString()} bytes in chunks of ${head.chunk.toString()}`,
      );
    }
    this.head = head;
    this.arrived = new Bitmap(chunkCount(head));
    this.#bytes = new Uint8Array(head.size);
  }

  /**
   * Takes a chunk; answers whether it is new.
   * @throws WhorlError TRANSFER_SIZE when it does not have the length that its index says
   */
  add(index: number, data: Uint8Array): boolean {
    const from = index * this.head.chunk;
    const expected = index < 0 ? 0 : Math.min(this.head.chunk, this.head.size - from);
    if (expected <= 0 || data.length !== expected) {
      throw new WhorlError(
        'TRANSFER_SIZE',
        `chunk ${index.toString()} of ${data.length.toString()} bytes, expected ${Math.max(0, expected).toString()}`,
      );
    }
    if (!this.arrived.add(index)) return false;
    this.#bytes.set(data, from);
    return true;
  }

  /** A copy of what arrived as chunk `index`, for whoever stores what has arrived so far. */
  chunk(index: number): Uint8Array {
    return chunkAt(this.#bytes, this.head.chunk, index).slice();
  }

  /**
   * The whole object.
   * @throws WhorlError TRANSFER_DIGEST when it is incomplete or its digest differs
   */
  finish(): Uint8Array {
    if (!this.arrived.complete) {
      throw new WhorlError(
        'TRANSFER_DIGEST',
        `${this.arrived.count.toString()} of ${this.arrived.size.toString()} chunks have arrived`,
      );
    }
    if (!sameBytes(digestOf(this.#bytes), this.head.digest))
      throw new WhorlError('TRANSFER_DIGEST', 'the object’s digest differs');
    return this.#bytes;
  }
}
