import type { Clock } from '@whorl/protocol';

/** Whoever comes from more places than this at once is told of together. */
const MOST_KNOWN = 100;
const EVERYONE_ELSE = '';

/** How often something is worth a word: once in an interval for each place that it comes from. */
export class Grumbling {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #told = new Map<string, { at: number; untold: number }>();

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /**
   * It happened again.
   * @returns how often it did since that was told last, without this time; `undefined` when it is to be passed over
   */
  next(place: string): number | undefined {
    const now = this.#clock.now();
    const key = this.#told.has(place) || this.#hasRoom(now) ? place : EVERYONE_ELSE;
    const last = this.#told.get(key);
    if (last !== undefined && now - last.at < this.#everyMs) {
      last.untold += 1;
      return undefined;
    }
    this.#told.set(key, { at: now, untold: 0 });
    return last?.untold ?? 0;
  }

  #hasRoom(now: number): boolean {
    if (this.#told.size < MOST_KNOWN) return true;
    for (const [place, { at }] of this.#told) if (now - at >= this.#everyMs) this.#told.delete(place);
    return this.#told.size < MOST_KNOWN;
  }
}
