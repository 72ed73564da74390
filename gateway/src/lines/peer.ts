import { plainSession, WhorlError } from '@whorl/protocol';
import type { Random, SealedEnd, Session } from '@whorl/protocol';
import type { PeerCounters } from './status.ts';

/** The gateway's end of the session with one terminal of a line, or with all of them. */
export class Peer {
  readonly address: number;
  /** Made by a handshake; before it, nothing but the handshake itself is said. */
  sealed: SealedEnd | undefined;
  readonly counters: PeerCounters = { framesIn: 0, framesBad: 0, exchanges: 0, retries: 0, timeouts: 0 };
  /** Round trip of an exchange, milliseconds, lately; absent before the first. */
  roundTripMs: number | undefined;
  #plain: number;

  /** @param random chooses the first number of plain requests, so that a restarted gateway does not repeat the last one's */
  constructor(address: number, random: Random) {
    this.address = address;
    this.#plain = random.below(0x10000);
  }

  /** @throws WhorlError SESSION_NONE */
  get session(): SealedEnd {
    if (this.sealed === undefined)
      throw new WhorlError('SESSION_NONE', `there is no session with address ${this.address}`);
    return this.sealed;
  }

  /**
   * The session that a request travels in, and its number there.
   * @param plain for what is said before there is a session: who is there, and the handshake
   * @throws WhorlError SESSION_NONE
   */
  next(plain: boolean): { readonly session: Session; readonly sequence: number } {
    if (!plain) return { session: this.session, sequence: this.session.nextSequence() };
    this.#plain = (this.#plain + 1) & 0xffff;
    return { session: plainSession, sequence: this.#plain };
  }
}
