import { codeOf, WhorlError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { DELIMITER, unstuff } from '../frame/cobs.ts';
import { HEADER_BYTES, isShort, readHeader } from '../frame/frame.ts';
import type { FrameHeader } from '../frame/frame.ts';
import { INVITATION_WIRE, readHand } from '../frame/short.ts';
import { decodeMessage } from '../messages/message.ts';
import type { Message } from '../messages/message.ts';
import { hereFrom } from '../roll/roll.ts';
import { plainSession } from '../session/plain.ts';
import { SEAL_BYTES } from '../session/sealed.ts';
import { sameBytes } from '../user/digest.ts';
import type { KeyRing } from './opening.ts';

/** What a run of bytes up to a delimiter turned out to be. */
export type Decoded =
  | { readonly kind: 'plain'; readonly header: FrameHeader; readonly message: Message }
  /** Sealed, and opened with a key that was given. */
  | {
      readonly kind: 'opened';
      readonly header: FrameHeader;
      readonly counter: number;
      readonly message: Message;
    }
  /** Sealed, and no key opens it: nobody can tell whether it is sound. */
  | { readonly kind: 'sealed'; readonly header: FrameHeader; readonly length: number }
  | { readonly kind: 'invitation' }
  /** A terminal that raises its hand, or answers a roll call; unproven. */
  | { readonly kind: 'hand' | 'here'; readonly address: number; readonly attention: boolean }
  /** A delimiter behind a delimiter: it ends whatever noise began. */
  | { readonly kind: 'nothing' }
  | Damaged;

export interface Damaged {
  readonly kind: 'damaged';
  /** When it could be read, whether or not it is true. */
  readonly header: FrameHeader | undefined;
  readonly code: ErrorCode;
  readonly reason: string;
  /** On the wire, the delimiter included. */
  readonly length: number;
}

const INVITATION = INVITATION_WIRE.subarray(0, -1);
const HAND_BYTES = 4;
/** A type, and nothing else. */
const SHORTEST_PAYLOAD_BYTES = 1;

/**
 * Reads what stood on the wire up to and including a delimiter.
 * @param keys opens what is sealed
 * @throws nothing that input can bring about
 */
export function decodeRun(run: Uint8Array, keys?: KeyRing): Decoded {
  const ended = run.at(-1) === DELIMITER;
  const stuffed = ended ? run.subarray(0, -1) : run;
  if (stuffed.length === 0) return { kind: 'nothing' };
  let header: FrameHeader | undefined;
  try {
    if (sameBytes(stuffed, INVITATION)) return { kind: 'invitation' };
    const frame = unstuff(stuffed);
    if (isShort(frame)) return shortFrame(frame);
    header = readHeader(frame);
    return header.sealed ? sealedFrame(frame, header, keys) : plainFrame(frame);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    const reason = ended ? error.message : `no delimiter behind it; ${error.message}`;
    return { kind: 'damaged', header, code, reason, length: run.length };
  }
}

function shortFrame(frame: Uint8Array): Decoded {
  if (frame.length === HAND_BYTES) return { kind: 'hand', address: readHand(frame), attention: true };
  const address = hereFrom(frame);
  return { kind: 'here', address, attention: ((frame[0] ?? 0) & 0x08) !== 0 };
}

function plainFrame(frame: Uint8Array): Decoded {
  const { payload, fresh: _, ...header } = plainSession.open(frame);
  return { kind: 'plain', header, message: decodeMessage(payload) };
}

function sealedFrame(frame: Uint8Array, header: FrameHeader, keys: KeyRing | undefined): Decoded {
  const shortest = HEADER_BYTES + (header.fromTerminal ? 2 : 0) + SHORTEST_PAYLOAD_BYTES + SEAL_BYTES;
  if (frame.length < shortest)
    throw new WhorlError('FRAME_TOO_SHORT', `a sealed frame of ${frame.length.toString()} bytes`);
  const opened = keys?.open(frame);
  if (opened === undefined) return { kind: 'sealed', header, length: frame.length };
  const { payload, counter } = opened;
  return { kind: 'opened', header, counter, message: decodeMessage(payload) };
}
