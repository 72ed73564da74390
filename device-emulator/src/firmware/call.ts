import { decodeMessage, readHeader, unstuff } from '@whorl/protocol';
import type { Message, SharedFrame } from '@whorl/protocol';

/**
 * A frame for all terminals of a line, as it stood between two delimiters. What every one of them would make of the
 * same bytes with the same key is made once, for the first that asks: dozens hear each roll call and each chunk.
 */
export class Call {
  readonly stuffed: Uint8Array;
  readonly shared: SharedFrame = {};
  #frame: Uint8Array | undefined;
  #read: { readonly payload: Uint8Array; readonly message: Message } | undefined;

  constructor(stuffed: Uint8Array) {
    this.stuffed = stuffed;
  }

  /** The frame, its stuffing undone. @throws WhorlError FRAME_* for what cannot be one */
  get frame(): Uint8Array {
    if (this.#frame === undefined) {
      const frame = unstuff(this.stuffed);
      readHeader(frame);
      this.#frame = frame;
    }
    return this.#frame;
  }

  /** The message of the payload that was opened. @throws WhorlError MESSAGE_* */
  readonly decode = (payload: Uint8Array): Message => {
    if (this.#read?.payload !== payload) this.#read = { payload, message: decodeMessage(payload) };
    return this.#read.message;
  };
}
