import type { Cancel, Clock, LineTiming } from '@whorl/protocol';
import { describe, wireMs } from '@whorl/protocol';
import type { Loan } from './job.ts';
import type { Transport } from './transport.ts';
import type { Wire } from './wire.ts';

/** Modbus over serial line, 2.5.1.1: what ends a frame is a silence of 3.5 characters, or of a fixed time at high speeds. */
const SILENCE_CHARACTERS = 3.5;
const SHORTEST_SILENCE_MS = 1.75;

interface LoanParts {
  readonly transport: Transport;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly timing: LineTiming;
  /** The line is the gateway's own again. */
  readonly ended: () => void;
}

/** How long nobody speaks before and after another protocol has its turn, milliseconds. */
function silenceMs({ baud }: LineTiming): number {
  return baud === undefined ? 0 : Math.max(SHORTEST_SILENCE_MS, SILENCE_CHARACTERS * wireMs(1, baud));
}

/** A turn of another protocol under way: the wire is silent, then lent, then silent again. */
export class LoanTurn {
  readonly #job: Loan;
  readonly #parts: LoanParts;
  #timer: Cancel | undefined;
  #back: (() => void) | undefined;
  #over = false;

  constructor(job: Loan, parts: LoanParts) {
    this.#job = job;
    this.#parts = parts;
    const { wire, clock, timing } = parts;
    const wait = Math.max(0, wire.freeAt - clock.now()) + silenceMs(timing);
    this.#timer = clock.after(wait, () => void this.#lend());
  }

  /** The line has closed. */
  fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.();
    this.#back?.();
    this.#job.settle({ kind: 'failed', error });
  }

  async #lend(): Promise<void> {
    const { transport, wire, clock, timing } = this.#parts;
    let listener: (bytes: Uint8Array) => void = () => undefined;
    this.#back = transport.lend((bytes) => {
      listener(bytes);
    });
    let error: unknown;
    try {
      await this.#job.loan({
        write: (bytes) => wire.sendForeign(bytes),
        onBytes(heard) {
          listener = heard;
        },
      });
    } catch (caught) {
      error = caught;
    }
    if (this.#over) return;
    this.#over = true;
    this.#back();
    clock.after(silenceMs(timing), this.#parts.ended);
    if (error === undefined) this.#job.settle({ kind: 'sent' });
    else
      this.#job.settle({
        kind: 'failed',
        error: error instanceof Error ? error : new Error(describe(error)),
      });
  }
}
