import { performance } from 'node:perf_hooks';
import type { Cancel, Clock } from './clock.ts';
import { TimerHeap } from './heap.ts';
import type { Timer } from './heap.ts';

/** `setTimeout` fires at once for delays over 31 bits. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
/** However many timers are due, the network waits for them no longer than this. */
const LONGEST_TURN_MS = 4;

/**
 * The machine's own time. `setTimeout` counts whole milliseconds of its own and can be a fraction early by the clock
 * that deadlines are read from; whoever waits for a deadline must not be woken before it. Nor may it be woken before
 * what had arrived by then was heard: after the process was held up, an answer that came in time would be taken for
 * missing. Node's own timers give no such promise, and keep the network waiting for as long as one after the other is due.
 */
class SystemClock implements Clock {
  readonly #timers = new TimerHeap();
  #order = 0;
  /** When the bell rings. */
  #bellAt = Number.POSITIVE_INFINITY;
  #bell: NodeJS.Timeout | undefined;
  /** It has rung, and what is due waits until the network was looked at. */
  #listening = false;

  now(): number {
    return performance.now();
  }

  wallTime(): number {
    return Date.now();
  }

  after(delayMs: number, fire: () => void): Cancel {
    const now = performance.now();
    this.#order += 1;
    const timer: Timer = { at: delayMs > 0 ? now + delayMs : now, order: this.#order, fire };
    this.#timers.add(timer);
    if (timer.at < this.#bellAt) this.#setBell(timer.at, now);
    return () => {
      this.#timers.cancel(timer);
      if (this.#timers.first() === undefined) this.#silence();
    };
  }

  #setBell(at: number, now: number): void {
    if (this.#listening) return;
    clearTimeout(this.#bell);
    this.#bellAt = at;
    if (at <= now) this.#ring();
    else this.#bell = setTimeout(this.#ring, Math.min(Math.ceil(at - now), LONGEST_TIMEOUT_MS));
  }

  #silence(): void {
    clearTimeout(this.#bell);
    this.#bellAt = Number.POSITIVE_INFINITY;
  }

  readonly #ring = (): void => {
    const now = performance.now();
    this.#listening = true;
    // Between this and an immediate Node hears whatever has come in.
    setImmediate(() => {
      this.#fire(now);
    });
  };

  /** @param until when the bell rang: what was due later may have an answer that nobody has heard yet */
  #fire(until: number): void {
    const end = performance.now() + LONGEST_TURN_MS;
    try {
      for (let next = this.#timers.first(); next !== undefined; next = this.#timers.first()) {
        if (next.at > until || performance.now() > end) break;
        this.#timers.take(next)?.();
      }
    } finally {
      this.#listening = false;
      this.#silence();
      const next = this.#timers.first();
      if (next !== undefined) this.#setBell(next.at, performance.now());
    }
  }
}

export const systemClock: Clock = new SystemClock();
