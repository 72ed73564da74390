import type { Frame, NewHeader } from '../frame/frame.ts';

/**
 * What stands between a message and its frame: nothing but a checksum on a plain session; encryption, authentication
 * and counters on a sealed one. Each end of an address has one at a time.
 */
export interface Session {
  readonly sealed: boolean;
  /** Bytes of header and trailer around a payload. */
  readonly overhead: number;
  /**
   * Makes a frame (before byte stuffing) of a payload that stands in `buffer` at HEADER_BYTES, `length` bytes long;
   * header and trailer are written around it in place.
   * @returns the length of the whole frame
   */
  seal(header: NewHeader, buffer: Uint8Array, length: number): number;
  /**
   * Opens a frame (after byte stuffing is undone).
   * @throws WhorlError FRAME_TOO_SHORT, FRAME_VERSION, FRAME_CHECKSUM, FRAME_SEALED
   */
  open(frame: Uint8Array): Frame;
  /**
   * What proves that the terminal's end of this session said `head` in answer to the roll call with this number.
   * @returns 8 bytes; the same for the same arguments at both ends
   */
  tag(number: number, head: Uint8Array): Uint8Array;
}
