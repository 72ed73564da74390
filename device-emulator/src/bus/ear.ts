import { BROADCAST, DELIMITER, FrameSplitter } from '@whorl/protocol';

/** What all terminals of a line hear, cut into frames once for all of them. */
export class Ear {
  readonly #splitter = new FrameSplitter();
  /** The last byte heard was a delimiter, so that the next one begins a frame. */
  #between = true;

  /** Takes bytes off the wire and calls `frame` with whatever ends in them. */
  hear(bytes: Uint8Array, frame: (stuffed: Uint8Array) => void): void {
    const last = bytes.length - 1;
    if (this.#between && bytes.indexOf(DELIMITER) === last) {
      if (last > 0) frame(bytes.subarray(0, last));
      return;
    }
    this.#splitter.push(bytes, frame);
    this.#between = bytes[last] === DELIMITER;
  }

  /** Takes what means nothing to a terminal: it matters only while a frame is incomplete. */
  overhear(bytes: Uint8Array, spoilt: boolean): void {
    if (!this.#between || spoilt) this.hear(bytes, nothing);
  }
}

const nothing = (): void => undefined;

/**
 * Whom a stuffed frame is for, without undoing the stuffing: the address is the second byte of a header whose first is
 * never zero. `undefined` for what cannot be a frame.
 */
export function addressOf(stuffed: Uint8Array): number | undefined {
  const run = stuffed[0] ?? 0;
  if (run < 2 || stuffed.length < 3) return undefined;
  return run === 2 ? BROADCAST : stuffed[2];
}
