import type { Clock } from '@whorl/protocol';

/** Lets so many through at once and so many a second in the long run. */
export class Bucket {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #perSecond: number;
  #tokens: number;
  #since: number;

  constructor(clock: Clock, most: number, perSecond: number) {
    this.#clock = clock;
    this.#most = most;
    this.#perSecond = perSecond;
    this.#tokens = most;
    this.#since = clock.now();
  }

  /** @returns whether one more may pass */
  take(): boolean {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#most, this.#tokens + ((now - this.#since) / 1000) * this.#perSecond);
    this.#since = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
