/** Something that waits for its time. */
export interface Timer {
  readonly at: number;
  /** Breaks ties: timers for one instant come in the order in which they were set. */
  readonly order: number;
  /** `undefined` once it was cancelled or taken. */
  fire: (() => void) | undefined;
}

/** So few cancelled timers are not worth clearing away. */
const FEW = 64;

/**
 * Timers by time, a binary heap. A cancelled timer stays until its time comes, or until most of them are cancelled:
 * nearly every time-out is cancelled long before its time, and would stand in everybody's way.
 */
export class TimerHeap {
  #timers: Timer[] = [];
  #cancelled = 0;

  /** How many there are, cancelled ones that were not cleared away yet included. */
  get size(): number {
    return this.#timers.length;
  }

  add(timer: Timer): void {
    const hole = this.#timers.length;
    this.#timers.push(timer);
    rise(this.#timers, timer, hole);
  }

  /** Harmless for one that was cancelled or taken before. */
  cancel(timer: Timer): void {
    if (timer.fire === undefined) return;
    timer.fire = undefined;
    this.#cancelled += 1;
    if (this.#cancelled > FEW && 2 * this.#cancelled > this.#timers.length) this.#clear();
  }

  /** The earliest timer; cancelled ones before it are dropped. */
  first(): Timer | undefined {
    let first = this.#timers[0];
    while (first !== undefined && first.fire === undefined) {
      this.#pop();
      this.#cancelled -= 1;
      first = this.#timers[0];
    }
    return first;
  }

  /** Takes the timer that {@link first} answered away. */
  take(first: Timer): (() => void) | undefined {
    this.#pop();
    const { fire } = first;
    first.fire = undefined;
    return fire;
  }

  #pop(): void {
    const last = this.#timers.pop();
    if (last !== undefined && this.#timers.length > 0) sink(this.#timers, last, 0);
  }

  /** What is sorted is a heap. */
  #clear(): void {
    this.#timers = this.#timers
      .filter(({ fire }) => fire !== undefined)
      .sort((a, b) => (before(a, b) ? -1 : 1));
    this.#cancelled = 0;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Puts `timer` at `hole` or above it, moving later ones down. */
function rise(timers: Timer[], timer: Timer, hole: number): void {
  let at = hole;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = timers[above];
    if (parent === undefined || before(parent, timer)) break;
    timers[at] = parent;
    at = above;
  }
  timers[at] = timer;
}

/** Puts `timer` at `hole` or below it, moving earlier ones up. */
function sink(timers: Timer[], timer: Timer, hole: number): void {
  let at = hole;
  for (;;) {
    const below = earlierChild(timers, at);
    const child = timers[below];
    if (child === undefined || before(timer, child)) break;
    timers[at] = child;
    at = below;
  }
  timers[at] = timer;
}

function earlierChild(timers: readonly Timer[], index: number): number {
  const left = 2 * index + 1;
  const a = timers[left];
  const b = timers[left + 1];
  return a !== undefined && b !== undefined && before(b, a) ? left + 1 : left;
}
