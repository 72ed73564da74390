import { promiseHooks } from 'node:v8';
import type { Cancel, Clock } from './clock.ts';

interface Timer {
  readonly at: number;
  /** Breaks ties: timers for one instant fire in the order in which they were set. */
  readonly order: number;
  fire: (() => void) | undefined;
}

/**
 * Time that passes only when told to: an event heap with fractional milliseconds. Whole-millisecond fake timers would
 * distort byte times, which are 87 µs at 115,200 baud.
 */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #heap: Timer[] = [];
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

  after(delayMs: number, fire: () => void): Cancel {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), order: (this.#order += 1), fire };
    push(this.#heap, timer);
    return () => {
      timer.fire = undefined;
    };
  }

  /**
   * Lets time pass, firing each timer at its instant, and lets all promises that a timer settled run before the next
   * timer fires.
   * @param done asked between timers; the run ends when it answers true
   * @returns whether `done` ended the run; false when the time was over or no timer was left
   */
  async run(options: { forMs: number; done?: () => boolean }): Promise<boolean> {
    const end = this.#now + options.forMs;
    const done = options.done ?? never;
    const promises = new PromiseWatch();
    try {
      await promises.settle();
      for (let sinceBreath = 0; !done(); sinceBreath += 1) {
        const next = this.#next(end);
        if (next === undefined) {
          this.#now = Math.max(this.#now, end);
          return false;
        }
        this.#now = next.at;
        next.fire?.();
        if (promises.touched || sinceBreath >= MOST_WITHOUT_BREATH) {
          await promises.settle();
          sinceBreath = 0;
        }
      }
      return true;
    } finally {
      promises.end();
    }
  }

  #next(end: number): Timer | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > end) return undefined;
      pop(this.#heap);
      if (first.fire !== undefined) return first;
    }
  }
}

const never = (): boolean => false;

/** Timers fired without a look at the rest of the process: signals and other people's input wait so long. */
const MOST_WITHOUT_BREATH = 10_000;

/**
 * Notices whether anyone made or settled a promise: only then is there anything to wait for before the next timer.
 * Most timers of a simulated line touch none, and waiting after each would cost far more than firing it.
 */
class PromiseWatch {
  touched = false;
  readonly end: () => void;

  constructor() {
    const touch = (): void => {
      this.touched = true;
    };
    this.end = promiseHooks.createHook({ init: touch, settled: touch }) as () => void;
  }

  /** The check phase of the event loop comes after all microtasks, so every promise chain has run to its end. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.touched = false;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Timer[], timer: Timer): void {
  let hole = heap.length;
  heap.push(timer);
  while (hole > 0) {
    const parentIndex = (hole - 1) >> 1;
    const parent = heap[parentIndex];
    if (parent === undefined || before(parent, timer)) break;
    heap[hole] = parent;
    hole = parentIndex;
  }
  heap[hole] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let hole = 0;
  for (;;) {
    const child = earlierChild(heap, hole);
    const timer = heap[child];
    if (timer === undefined || before(last, timer)) break;
    heap[hole] = timer;
    hole = child;
  }
  heap[hole] = last;
}

function earlierChild(heap: readonly Timer[], index: number): number {
  const left = 2 * index + 1;
  const a = heap[left];
  const b = heap[left + 1];
  return a !== undefined && b !== undefined && before(b, a) ? left + 1 : left;
}
