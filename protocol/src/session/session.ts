import type { KeyObject } from 'node:crypto';
import type { Frame, NewHeader } from '../frame/frame.ts';

/** A frame as its session opened it. */
export interface Opened extends Frame {
  /** False for a frame that was opened before: repeated by its sender, or played again by somebody else. */
  readonly fresh: boolean;
}

/**
 * What stands between a message and its frame: nothing but a checksum on a plain session; encryption, authentication
 * and counters on a sealed one. Each end of an address has one at a time.
 */
export interface Session {
  readonly sealed: boolean;
  /** Bytes before the payload in a frame that this end makes. */
  readonly headBytes: number;
  /** Bytes of header and trailer around a payload in a frame that this end makes. */
  readonly overhead: number;
  /**
   * Makes a frame (before byte stuffing) of a payload that stands in `buffer` at `headBytes`, `length` bytes long;
   * header and trailer are written around it in place.
   * @returns the length of the whole frame
   */
  seal(header: NewHeader, buffer: Uint8Array, length: number): number;
  /**
   * Opens a frame (after byte stuffing is undone).
   * @throws WhorlError FRAME_TOO_SHORT, FRAME_VERSION, FRAME_CHECKSUM, FRAME_SEALED, FRAME_FORGED
   */
  open(frame: Uint8Array): Opened;
  /**
   * What proves that the terminal's end of this session said `head` in answer to the roll call with this number.
   * @returns 8 bytes; the same for the same arguments at both ends
   */
  tag(number: number, head: Uint8Array): Uint8Array;
}

/** An end of a sealed session; the gateway's numbers its own requests. */
export interface SealedEnd extends Session {
  /** Number of the next request, for its header; each request has one of its own. */
  nextSequence(): number;
}

/** What a terminal needs to hear the broadcasts of a line. */
export interface GroupKey {
  /** 32 bytes: the key that `next` is sealed under; those before it cannot be had from it. */
  readonly key: Uint8Array;
  /** Counter of the next broadcast. */
  readonly next: number;
}

/**
 * A frame that several hear who hold one key: what the first has made of it the others need not work out again. Good
 * for one frame; empty at first.
 */
export interface SharedFrame {
  opened?: { readonly key: KeyObject; readonly counter: number; readonly payload: Uint8Array };
}

/** The gateway's end of a line's broadcasts. */
export interface GroupEnd extends SealedEnd {
  /** @param shared what others have made of the same frame; it is used only where key and counter are the same */
  open(frame: Uint8Array, shared?: SharedFrame): Opened;
  /** For a terminal that joins now: what was said before, it can neither open nor be made to take for new. */
  handOver(): GroupKey;
}
