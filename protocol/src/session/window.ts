/** Answers may overtake each other: one that was lost is repeated behind newer ones. */
export const LOOSE = 64;
/** Requests arrive in the order in which they were made: one that comes late was held back. */
export const STRICT = 1;

/** Which counters were seen of the newest ones, as RFC 6479 has it: each is fresh once, older ones never. */
export class ReplayWindow {
  readonly #width: number;
  /** Of each counter in the window, at its remainder: 1 when it was seen. */
  readonly #seen: Uint8Array;
  #newest: number;

  /**
   * @param newest it and all below count as seen
   * @param width how many of the newest may still come, the newest included
   */
  constructor(newest = -1, width: typeof LOOSE | typeof STRICT = LOOSE) {
    this.#newest = newest;
    this.#width = width;
    this.#seen = new Uint8Array(width).fill(1);
  }

  /** The highest counter taken, -1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** Takes a counter that was proven. @returns whether it is fresh */
  take(counter: number): boolean {
    const width = this.#width;
    if (counter > this.#newest) {
      const skipped = Math.max(this.#newest + 1, counter - width + 1);
      for (let at = skipped; at < counter; at += 1) this.#seen[at % width] = 0;
      this.#newest = counter;
    } else if (this.#newest - counter >= width || this.#seen[counter % width] === 1) return false;
    this.#seen[counter % width] = 1;
    return true;
  }
}
