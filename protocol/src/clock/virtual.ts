import type { Cancel, Clock } from './clock.ts';
import { TimerHeap } from './heap.ts';
import type { Timer } from './heap.ts';

/**
 * Time that passes only when told to: an event heap with fractional milliseconds. Whole-millisecond fake timers would
 * distort byte times, which are 87 µs at 115,200 baud.
 */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new TimerHeap();
  readonly #epoch: number;

  /** @param epoch what the wall clock shows at virtual time zero, milliseconds UTC */
  constructor(epoch = Date.UTC(2026, 0, 1)) {
    this.#epoch = epoch;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#epoch + Math.floor(this.#now);
  }

  /** Timers that are kept, cancelled ones that were not cleared away yet among them. */
  get pending(): number {
    return this.#timers.size;
  }

  after(delayMs: number, fire: () => void): Cancel {
    this.#order += 1;
    const at = delayMs > 0 ? this.#now + delayMs : this.#now;
    const timer: Timer = { at, order: this.#order, fire };
    this.#timers.add(timer);
    return () => {
      this.#timers.cancel(timer);
    };
  }

  /**
   * Lets time pass, firing each timer at its instant, and lets all promises that a timer settled (and ticks and
   * microtasks that it queued) run before the next timer fires.
   * @param done asked between timers; the run ends when it answers true
   * @returns whether `done` ended the run; false when the time was over or no timer was left
   * @throws what a timer threw
   */
  run(options: { forMs: number; done?: () => boolean }): Promise<boolean> {
    const end = this.#now + options.forMs;
    const done = options.done ?? never;
    return turns((): boolean | undefined => {
      if (done()) return true;
      const next = this.#timers.first();
      if (next === undefined || next.at > end) {
        this.#now = Math.max(this.#now, end);
        return false;
      }
      this.#now = next.at;
      this.#timers.take(next)?.();
      return undefined;
    });
  }
}

const never = (): boolean => false;

/** Enough that a round of the event loop, which costs ten times as much as a turn, is spread thin. */
const MOST_TURNS = 64;

/**
 * Takes turns until one answers. Before each turn every promise chain, microtask and tick has run to its end: Node
 * drains them between two `setImmediate` callbacks, also between those of one round of its event loop. So many of them
 * are queued at once; those left over when an answer is there do nothing.
 */
function turns<Answer>(turn: () => Answer | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let queued = 0;
    let round = 1;
    let settled = false;
    const take = (): void => {
      queued -= 1;
      if (settled) return;
      try {
        const answer = turn();
        if (answer === undefined) {
          if (queued === 0) queue();
          return;
        }
        resolve(answer);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
      settled = true;
    };
    const queue = (): void => {
      for (; queued < round; queued += 1) setImmediate(take);
      round = Math.min(2 * round, MOST_TURNS);
    };
    queue();
  });
}
