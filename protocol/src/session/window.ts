/** Answers may overtake each other: one that was lost is repeated behind newer ones. */
export const LOOSE = 64;
/** Requests arrive in the order in which they were made: one that comes late was held back. */
export const STRICT = 1;

/** Which counters were seen of the newest ones, as RFC 6479 has it: each is fresh once, older ones never. */
export class ReplayWindow {
  readonly #width: bigint;
  readonly #all: bigint;
  #newest: number;
  #seen: bigint;

  /**
   * @param newest it and all below count as seen
   * @param width how many of the newest may still come, the newest included
   */
  constructor(newest = -1, width: typeof LOOSE | typeof STRICT = LOOSE) {
    this.#newest = newest;
    this.#width = BigInt(width);
    this.#all = (1n << this.#width) - 1n;
    this.#seen = this.#all;
  }

  /** The highest counter taken, -1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** Takes a counter that was proven. @returns whether it is fresh */
  take(counter: number): boolean {
    if (counter > this.#newest) {
      const ahead = BigInt(counter - this.#newest);
      this.#seen = ahead >= this.#width ? 1n : ((this.#seen << ahead) | 1n) & this.#all;
      this.#newest = counter;
      return true;
    }
    const behind = BigInt(this.#newest - counter);
    if (behind >= this.#width) return false;
    const bit = 1n << behind;
    if ((this.#seen & bit) !== 0n) return false;
    this.#seen |= bit;
    return true;
  }
}
