import type { SeatTrouble } from '@whorl/device-emulator/bus/trouble';
import type { Refusal } from '@whorl/protocol';
import { damaged, isRefusal } from './fates.ts';
import type { Ask, Seat } from './recording.ts';

/** What a terminal said when it had been asked something. */
export interface Heard {
  readonly ask: Ask;
  readonly address: number;
  readonly wire: Uint8Array;
}

interface Ground {
  /** What the gateway said in these bytes. */
  readonly asked: (stuffed: Uint8Array) => Ask | undefined;
  /** Milliseconds after the beginning of the recording. */
  readonly now: () => number;
  /** Where what it says is kept, as it left it. */
  readonly heard: Heard[];
}

/** One terminal's end of the wire: it hears what the recorded one heard, and what it says arrives as that did. */
export class SeatEnd {
  readonly #seat: Pick<Seat, 'address' | 'silent'>;
  readonly #ground: Ground;
  /** What it was asked last. */
  #ask: Ask | undefined;

  constructor(seat: Pick<Seat, 'address' | 'silent'>, ground: Ground) {
    this.#seat = seat;
    this.#ground = ground;
  }

  readonly trouble: SeatTrouble = {
    hears: (stuffed) => {
      this.#ask = this.#ground.asked(stuffed);
      return this.#ask !== undefined && this.#misses(this.#ask) ? undefined : stuffed;
    },
    says: (wire) => {
      const ask = this.#ask;
      if (ask === undefined) return [{ wire, afterMs: 0 }];
      this.#ground.heard.push({ ask, address: this.#seat.address, wire });
      return [{ wire: ask.fate?.damaged === true ? damaged(wire) : wire, afterMs: ask.fate?.lateMs ?? 0 }];
    },
  };

  readonly refuses = (): Refusal | undefined => {
    const reason = this.#ask?.fate?.refused;
    return isRefusal(reason) ? reason : undefined;
  };

  #misses({ missed, fate }: Ask): boolean {
    const { address, silent } = this.#seat;
    if (fate?.lost === true || missed?.includes(address) === true) return true;
    const now = this.#ground.now();
    return silent.some(([from, to]) => now >= from && now < to);
  }
}
