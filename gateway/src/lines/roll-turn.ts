import { hereFrom, readHere } from '@whorl/protocol';
import type { Cancel } from '@whorl/protocol';
import type { RollCall } from './job.ts';
import type { Peer } from './peer.ts';

/** A roll call under way: who has answered so far. */
export class RollTurn {
  readonly job: RollCall;
  timer: Cancel | undefined;
  readonly #awaited: Map<number, Peer>;
  readonly #present = new Map<number, boolean>();

  constructor(job: RollCall) {
    this.job = job;
    this.#awaited = new Map(job.members.map((peer) => [peer.address, peer]));
  }

  get present(): ReadonlyMap<number, boolean> {
    return this.#present;
  }

  get complete(): boolean {
    return this.#awaited.size === 0;
  }

  /**
   * Takes a short frame that claims to be an answer.
   * @returns false for one that nobody waits for: doubled, or not called
   * @throws WhorlError FRAME_*
   */
  take(frame: Uint8Array): boolean {
    const address = hereFrom(frame);
    const peer = this.#awaited.get(address);
    if (peer === undefined) return false;
    this.#present.set(address, readHere(peer.session, this.job.body.number, frame));
    this.#awaited.delete(address);
    return true;
  }
}
