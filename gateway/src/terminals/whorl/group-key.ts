import { groupSession, KEY_BYTES } from '@whorl/protocol';
import type { GroupEnd, Random } from '@whorl/protocol';
import { RefusedError } from '../../lines/answer.ts';
import type { Line } from '../../lines/line.ts';
import type { Seat } from './seat.ts';

/** A line that comes and goes does not spend its time on handing out keys. */
const SOONEST_MS = 60_000;

export interface GroupKeyParts {
  readonly line: Line;
  /** Must not be guessed. */
  readonly random: Random;
  /** How old it becomes. */
  readonly renewalMs: number;
}

/** The key with which a shared line says something to all at once: who has it, and when there is another one. */
export class GroupKey {
  readonly #line: Line;
  readonly #random: Random;
  readonly #renewalMs: number;
  #group: GroupEnd | undefined;
  #renewedAt = 0;
  #dueAt = 0;

  constructor({ line, random, renewalMs }: GroupKeyParts) {
    this.#line = line;
    this.#random = random;
    this.#renewalMs = renewalMs;
  }

  /** Another one from this moment on, which nobody has yet: whoever is not handed it hears nothing any more. */
  replace(): void {
    this.#renew();
    this.#line.group.sealed = this.#group;
  }

  /** Another one once this one is old. Those who are here are handed it, and it is used once somebody has it. */
  renewWhenDue(): void {
    if (this.#group !== undefined && this.#dueAt <= this.#line.clock.now()) this.#renew();
  }

  /** A terminal has gone, with this key: there is another one soon. */
  gone(): void {
    this.#dueAt = Math.min(this.#dueAt, this.#renewedAt + SOONEST_MS);
  }

  isWith(seat: Seat): boolean {
    return seat.group === this.#group;
  }

  /** Whether a terminal is to be handed it. */
  isLackedBy(seat: Seat): boolean {
    return !seat.alone && !this.isWith(seat);
  }

  /** @throws as {@link Line.ask} */
  async handOver(seat: Seat): Promise<void> {
    const group = this.#group;
    if (group === undefined) return;
    const asking = { name: 'group.set', body: group.handOver(), priority: 'live' } as const;
    try {
      await this.#line.ask(seat.member.peer, asking);
    } catch (error) {
      seat.alone = error instanceof RefusedError && error.reason === 'unknown-message';
      if (seat.alone) return;
      throw error;
    }
    seat.group = group;
    // Before, nobody would have understood: in noise all who are here can take a while to be handed it.
    this.#line.group.sealed = this.#group;
  }

  /** There is none where each terminal has a line for itself. */
  #renew(): void {
    if (this.#line.timing.baud === undefined) return;
    this.#group = groupSession('gateway', { key: this.#random.bytes(KEY_BYTES), next: 0 });
    this.#renewedAt = this.#line.clock.now();
    this.#dueAt = this.#renewedAt + this.#renewalMs;
  }
}
