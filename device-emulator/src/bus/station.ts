import type { SlotAnswer } from '@whorl/protocol';
import type { Call } from '../firmware/call.ts';

/** What can sit on the line: a terminal, as the line sees it. */
export interface Station {
  readonly address: number;
  /** Takes a stuffed frame that is for it; answers with frames as they go over the wire. */
  hear(stuffed: Uint8Array): readonly Uint8Array[];
  /** How long what it was asked last takes it before it answers, milliseconds. */
  readonly workMs: number;
  /** Takes a frame that is for all; answers with what it says in its slot, if anything. */
  hearCall(call: Call): SlotAnswer | undefined;
  /** A frame invited those who have logs: its hand, when it has some. */
  hand(): Uint8Array | undefined;
  /** Calls `silent` when whatever it is saying or about to say breaks off. */
  onSilent(silent: () => void): void;
  /** Calls `news` when people have done something that the gateway has not read. */
  onNews(news: () => void): void;
}

/** Units of another protocol on the same wire, whose frames are what stands between silences. */
export interface Neighbours {
  /**
   * Takes bytes that the gateway said.
   * @param afterSilence nobody had spoken for 3.5 characters before them
   * @returns what one of them answers
   */
  hear(bytes: Uint8Array, afterSilence: boolean): Uint8Array | undefined;
}
