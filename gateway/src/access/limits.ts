import type { Clock } from '@whorl/protocol';
import { Bucket } from '../settings/bucket.ts';

/** Whoever comes from more places than this at once makes the oldest forgotten. */
const MOST_KNOWN = 10_000;

/** A bucket for each of many: addresses, names. */
export class Limits {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #perSecond: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, most: number, perSecond: number) {
    this.#clock = clock;
    this.#most = most;
    this.#perSecond = perSecond;
  }

  /** @returns whether one more of `key` may pass */
  take(key: string): boolean {
    const bucket = this.#buckets.get(key) ?? new Bucket(this.#clock, this.#most, this.#perSecond);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MOST_KNOWN && oldest !== undefined) this.#buckets.delete(oldest);
    return bucket.take();
  }
}
