/** Which chunks of an object have arrived: a bit each, low bits first. */
export class Bitmap {
  readonly size: number;
  readonly bytes: Uint8Array;
  #set = 0;

  /** @param bytes an earlier bitmap's, to go on with */
  constructor(size: number, bytes?: Uint8Array) {
    this.size = size;
    this.bytes = new Uint8Array(Math.ceil(size / 8));
    if (bytes !== undefined) for (let i = 0; i < size; i += 1) if (bit(bytes, i)) this.add(i);
  }

  /** How many have arrived. */
  get count(): number {
    return this.#set;
  }

  get complete(): boolean {
    return this.#set === this.size;
  }

  has(index: number): boolean {
    return bit(this.bytes, index);
  }

  /** Marks a chunk as arrived; answers whether it is new. Indexes outside are never new. */
  add(index: number): boolean {
    if (index < 0 || index >= this.size || this.has(index)) return false;
    const at = index >> 3;
    this.bytes[at] = (this.bytes[at] ?? 0) | (1 << (index & 7));
    this.#set += 1;
    return true;
  }

  /** Marks what a page of another bitmap has, beginning at chunk `from`. */
  addPage(from: number, page: readonly number[]): void {
    for (const [i, byte] of page.entries()) {
      for (let b = 0; b < 8; b += 1) if ((byte & (1 << b)) !== 0) this.add(from + 8 * i + b);
    }
  }

  /** At most `bytes` bytes of the bitmap from the byte on that holds chunk `from`. */
  page(from: number, bytes: number): { from: number; bitmap: number[] } {
    const first = from >> 3;
    return { from: 8 * first, bitmap: [...this.bytes.subarray(first, first + bytes)] };
  }

  /** All that are missing, ascending. */
  missingAll(): number[] {
    const missing: number[] = [];
    for (let index = 0; index < this.size; index += 1) if (!this.has(index)) missing.push(index);
    return missing;
  }

  /** The first run of missing chunks from `from` on, at most `most` long; `undefined` when none is missing there. */
  missing(from: number, most: number): { first: number; count: number } | undefined {
    let first = from;
    while (first < this.size && this.has(first)) first += 1;
    if (first >= this.size) return undefined;
    let count = 1;
    while (count < most && first + count < this.size && !this.has(first + count)) count += 1;
    return { first, count };
  }
}

function bit(bytes: Uint8Array, index: number): boolean {
  return ((bytes[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}
