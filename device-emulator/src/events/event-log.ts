import type { Clock } from '@whorl/protocol';
import type { FleetEvent, Happened } from './event.ts';
import { Ring } from './ring.ts';

/** Kept of what happens, and of what crosses the lines: much of the one must not push the other out. */
const KEPT = { happenings: 10_000, frames: 10_000 };
/** Ids of a later run are above those of an earlier one, as long as fewer events come in a millisecond. */
const IDS_PER_MS = 1_000;

interface Kept {
  readonly id: number;
  readonly time: number;
  /** Made when somebody reads it: most frames are read by nobody. */
  readonly happened: () => Happened;
}

/** What happened lately, in a bounded memory, for any number of readers, each with its own place in it. */
export class EventLog {
  readonly #clock: Clock;
  readonly #happenings = new Ring<Kept>(KEPT.happenings);
  readonly #frames = new Ring<Kept>(KEPT.frames);
  readonly #wakers = new Set<() => void>();
  readonly #first: number;
  #last: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#first = this.#last = clock.wallTime() * IDS_PER_MS;
  }

  /** Id of the newest event. */
  get last(): number {
    return this.#last;
  }

  tell(happened: Happened): void {
    this.#keep(this.#happenings, this.#clock.wallTime(), () => happened);
  }

  /** @param time when its last byte had arrived, milliseconds UTC */
  tellFrame(time: number, happened: () => Happened): void {
    this.#keep(this.#frames, time, happened);
  }

  /** The oldest event after which nothing is lost. */
  floor({ frames }: { readonly frames: boolean }): number {
    return Math.max(this.#first, this.#happenings.lost, frames ? this.#frames.lost : 0);
  }

  /** The next event after `id`. */
  next(id: number, { frames }: { readonly frames: boolean }): FleetEvent | undefined {
    const one = this.#happenings.after(id);
    const other = frames ? this.#frames.after(id) : undefined;
    const found = one === undefined || (other !== undefined && other.id < one.id) ? other : one;
    return found && { id: found.id, time: found.time, ...found.happened() };
  }

  /** Calls `wake` when there is more. @returns what ends that */
  onMore(wake: () => void): () => void {
    this.#wakers.add(wake);
    return () => void this.#wakers.delete(wake);
  }

  #keep(ring: Ring<Kept>, time: number, happened: () => Happened): void {
    this.#last += 1;
    ring.push({ id: this.#last, time, happened });
    for (const wake of this.#wakers) wake();
  }
}
