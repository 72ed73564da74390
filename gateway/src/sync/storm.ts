import type { StoredEvent } from '../events/catalogue.ts';
import type { Clock } from '@whorl/protocol';

/** So many changes at once are people's work; of more, the log is read to its end before anything is fetched. */
const MOST_AT_ONCE = 50;
/** And so many a second in the long run. */
const PER_SECOND = 5;
/** How long after the last change of a storm it counts as over, milliseconds. */
const CALM_MS = 2_000;
const FULL = MOST_AT_ONCE + (CALM_MS / 1_000) * PER_SECOND;
/** A storm that does not end must not hold everything up: so often what it has asked for is fetched all the same. */
const LONGEST_MS = 600_000;

/**
 * Whether a terminal's log is so full of changes that fetching each at once would fetch the same users again and again.
 * Reading a log record costs a hundredth of fetching a user.
 */
export class Storm {
  readonly #clock: Clock;
  #level = 0;
  #at = 0;
  #since: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** So many records of changes were read. */
  add(changes: number): void {
    this.#drain();
    this.#level = Math.min(FULL, this.#level + changes);
    if (this.#level > MOST_AT_ONCE) this.#since ??= this.#clock.now();
  }

  /** Milliseconds until it is over if nothing more comes; 0 when there is none. */
  get calmInMs(): number {
    this.#drain();
    if (this.#level <= MOST_AT_ONCE) return 0;
    return Math.ceil(((this.#level - MOST_AT_ONCE) / PER_SECOND) * 1_000);
  }

  #drain(): void {
    const now = this.#clock.now();
    this.#level = Math.max(0, this.#level - ((now - this.#at) / 1_000) * PER_SECOND);
    this.#at = now;
    if (this.#since !== undefined && now - this.#since >= LONGEST_MS) this.#level = 0;
    if (this.#level <= MOST_AT_ONCE) this.#since = undefined;
  }
}

/** Somebody enrolled or edited a user at a terminal, who is therefore fetched. */
export function isChangeThere({ type, origin }: StoredEvent): boolean {
  return origin === 'terminal' && (type === 'user.enrol.succeeded' || type === 'user.update.succeeded');
}
