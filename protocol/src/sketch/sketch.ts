import { WhorlError } from '../errors.ts';
import { inverse, times } from './field.ts';

/*
 * A rateless sketch of a set of users (Yang and others: Practical Rateless Set Reconciliation, SIGCOMM 2024). Each user
 * is in the first symbol and then, ever more seldom, in symbols that its id chooses. Who has another set takes his own
 * sketch from it: the symbols that are left hold the differences only, and come apart one by one.
 *
 * Unlike in the paper, a user whose content changed is one difference and not two: symbols are chosen by the id alone,
 * and a symbol is a sum in a field (field.ts) of the tag, the tag times the id, and the tag times the id's check. Of a
 * user who has two contents, the difference of the tags is left, and the id is the quotient of the first two sums.
 */

/** A user in a sketch. */
export interface SketchItem {
  readonly id: number;
  /** The first four bytes of the digest, little-endian; of a difference, the exclusive or of both contents’. */
  readonly tag: number;
}

/** Bytes of a symbol: its three sums. */
export const SYMBOL_BYTES = 12;
const WORDS = 3;

/** @param digest of a user, 4 bytes at least */
export function sketchItem(id: number, digest: Uint8Array): SketchItem {
  const [a = 0, b = 0, c = 0, d = 0] = digest;
  return { id, tag: (a | (b << 8) | (c << 16) | (d << 24)) >>> 0 };
}

/** The first symbols of a set. */
export class Sketch {
  readonly size: number;
  readonly #words: Uint32Array;

  /** @param size symbols that are kept */
  constructor(size: number) {
    this.size = size;
    this.#words = new Uint32Array(WORDS * size);
  }

  /** Puts a user in, or takes it out. */
  toggle(item: SketchItem): void {
    this.#toggle(item, undefined);
  }

  /** Symbols as bytes, little-endian. */
  bytes(from: number, count: number): Uint8Array {
    const words = this.#words.subarray(WORDS * from, WORDS * (from + count));
    const bytes = new Uint8Array(4 * words.length);
    const view = new DataView(bytes.buffer);
    for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
    return bytes;
  }

  /** Takes symbols of another set out of this one's. @throws WhorlError MESSAGE_RANGE */
  subtract(bytes: Uint8Array, from: number): void {
    if (bytes.length % SYMBOL_BYTES !== 0 || WORDS * from + bytes.length / 4 > this.#words.length)
      throw new WhorlError('MESSAGE_RANGE', `${bytes.length.toString()} bytes of symbols`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < bytes.length / 4; i += 1) {
      const at = WORDS * from + i;
      this.#words[at] = (this.#words[at] ?? 0) ^ view.getUint32(4 * i, true);
    }
  }

  /**
   * The users in whom the two sets differ, from what is left of a subtraction. That a user who differs is not among
   * them has a chance of one in 2^32 (the tags are the same); the tables' digests then still differ.
   * @param count symbols that were subtracted
   * @returns `undefined` when these are too few
   */
  differences(count: number): readonly SketchItem[] | undefined {
    const left = new Sketch(count);
    left.#words.set(this.#words.subarray(0, WORDS * count));
    const found: SketchItem[] = [];
    const changed = Array.from({ length: count }, (_, index) => index);
    for (let index = changed.pop(); index !== undefined; index = changed.pop()) {
      const item = left.#single(index);
      if (item === undefined) continue;
      // Each takes a symbol at least: more can only be noise that looks like users.
      if (found.length === count) return undefined;
      found.push(item);
      left.#toggle(item, changed);
    }
    return left.#words.every((word) => word === 0) ? found : undefined;
  }

  /** @param changed takes the symbols that the user is in */
  #toggle({ id, tag }: SketchItem, changed: number[] | undefined): void {
    const product = times(tag, id);
    const check = times(tag, checkOf(id));
    for (let index = 0, state = seedOf(id); index < this.size;) {
      const at = WORDS * index;
      this.#words[at] = (this.#words[at] ?? 0) ^ tag;
      this.#words[at + 1] = (this.#words[at + 1] ?? 0) ^ product;
      this.#words[at + 2] = (this.#words[at + 2] ?? 0) ^ check;
      changed?.push(index);
      state = stir(state);
      index += step(index, state);
    }
  }

  /** The only user in a symbol. */
  #single(index: number): SketchItem | undefined {
    const [tag = 0, product = 0, check = 0] = this.#words.subarray(WORDS * index, WORDS * (index + 1));
    if (tag === 0) return undefined;
    const id = times(product, inverse(tag));
    return times(tag, checkOf(id)) === check ? { id, tag } : undefined;
  }
}

/** How many symbols further a user is in again: the paper's section 4.2, in 32 bits. */
function step(index: number, state: number): number {
  return Math.ceil((index + 1.5) * (1 / Math.sqrt((state + 1) / 2 ** 32) - 1)) || 1;
}

function seedOf(id: number): number {
  return mix(id ^ 0x5bd1e995);
}

function stir(state: number): number {
  return mix((state + 0x9e3779b9) >>> 0);
}

function checkOf(id: number): number {
  return mix(id ^ 0x27d4eb2f);
}

/** Stirs 32 bits so that each depends on all (MurmurHash3's finisher). */
function mix(word: number): number {
  let z = word >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
