import { crc32 } from 'node:zlib';
import type { Clock } from '@whorl/protocol';
import type { Identity, TerminalDriver } from '../terminals/driver.ts';
import { CLOCK_TOLERANCE_MS } from './doubts.ts';

const EVERY_MS = 3_600_000;

export interface ClockWatchParts {
  readonly driver: Pick<TerminalDriver, 'name' | 'clockOff'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A clock was read that is off by more than the tolerance. */
  readonly onWrong: () => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * How far a terminal's clock is off: as its greeting said, and read again every hour while it stays. Terminals have
 * their turns at different times of the hour, by their names, so that those greeted together are not asked together.
 */
export class ClockWatch {
  readonly #parts: ClockWatchParts;
  readonly #turn: number;
  /** The greeting that was looked at. */
  #settled: Identity | undefined;
  /** Read since, and not settled. */
  #off: number | undefined;
  #due = 0;

  constructor(parts: ClockWatchParts) {
    this.#parts = parts;
    this.#turn = crc32(parts.driver.name) % EVERY_MS;
  }

  /** @returns milliseconds by which it is to be set, positive is ahead; `undefined` when there is nothing to be done */
  offOf(identity: Identity): number | undefined {
    return this.#settled === identity ? this.#off : beyondTolerance(identity.clock - identity.greeted);
  }

  /** What was to be done about the clock is done. */
  settled(identity: Identity): void {
    if (this.#settled !== identity) this.#due = this.#nextTurn();
    this.#settled = identity;
    this.#off = undefined;
  }

  /**
   * Has the clock read when it is time. Nobody waits for that: it stands behind all bulk work of the line, and logs must
   * not.
   * @returns milliseconds until it is time again
   */
  look(identity: Identity): number {
    if (this.#parts.clock.now() >= this.#due) {
      this.#due = this.#nextTurn();
      if (identity.capabilities.does.clock) void this.#read(identity);
    }
    return this.#due - this.#parts.clock.now();
  }

  #nextTurn(): number {
    const now = this.#parts.clock.now();
    return now + EVERY_MS - ((now + this.#turn) % EVERY_MS);
  }

  async #read(identity: Identity): Promise<void> {
    const { driver, signal, onWrong, onFailure } = this.#parts;
    try {
      const off = beyondTolerance(await driver.clockOff(signal));
      if (off === undefined || this.#settled !== identity) return;
      this.#off = off;
      onWrong();
    } catch (error) {
      if (!signal.aborted) onFailure(error);
    }
  }
}

function beyondTolerance(off: number): number | undefined {
  return Math.abs(off) > CLOCK_TOLERANCE_MS ? off : undefined;
}
