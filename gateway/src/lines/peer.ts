import { plainSession } from '@whorl/protocol';
import type { Random, Session } from '@whorl/protocol';

/** The gateway's end of the session with one terminal of a line. */
export class Peer {
  readonly address: number;
  session: Session = plainSession;
  #sequence: number;

  /** @param random chooses the first sequence number, so that a restarted gateway does not repeat the last one's */
  constructor(address: number, random: Random) {
    this.address = address;
    this.#sequence = random.below(0x10000);
  }

  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return this.#sequence;
  }
}
