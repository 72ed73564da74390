const WINDOW = 64n;
const ALL = (1n << WINDOW) - 1n;

/** Which counters were seen of the newest 64, as RFC 6479 has it: each is fresh once, older ones never. */
export class ReplayWindow {
  #newest: number;
  #seen = ALL;

  /** @param newest it and all below count as seen */
  constructor(newest = -1) {
    this.#newest = newest;
  }

  /** The highest counter taken, -1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** Takes a counter that was proven. @returns whether it is fresh */
  take(counter: number): boolean {
    if (counter > this.#newest) {
      const ahead = BigInt(counter - this.#newest);
      this.#seen = ahead >= WINDOW ? 1n : ((this.#seen << ahead) | 1n) & ALL;
      this.#newest = counter;
      return true;
    }
    const behind = BigInt(this.#newest - counter);
    if (behind >= WINDOW) return false;
    const bit = 1n << behind;
    if ((this.#seen & bit) !== 0n) return false;
    this.#seen |= bit;
    return true;
  }
}
