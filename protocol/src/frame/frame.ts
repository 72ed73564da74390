import { WhorlError } from '../errors.ts';

/** SPEC: frame. Version in the two top bits of the first byte. */
export const FRAME_VERSION = 1;
export const HEADER_BYTES = 4;
/** Most bytes of a frame on the wire, delimiter included; a terminal may ask for less. */
export const MTU_MAX = 1100;
/** Least that a terminal may ask for: every message but a chunk fits. */
export const MTU_MIN = 256;
/** Goes to every terminal of a line; none answers. */
export const BROADCAST = 0;
/** As in Modbus, so that both can share a line. */
export const ADDRESS_MAX = 247;

const SEALED = 0x20;
const FROM_TERMINAL = 0x10;
const ATTENTION = 0x08;
const INVITE = 0x04;
/** SPEC: short frames. They have a header of their own, see `short.ts`. */
export const SHORT = 0x02;
const RESERVED = 0x03;

/** What stands before a frame's payload, readable to everyone on the line. */
export interface FrameHeader {
  /** The terminal that is asked or that answers; {@link BROADCAST} for all. */
  readonly address: number;
  /** Numbers the gateway's frames on a session, 0 to 65,535 and round; an answer repeats its request's. */
  readonly sequence: number;
  readonly fromTerminal: boolean;
  /** The terminal has logs that the gateway has not read. */
  readonly attention: boolean;
  /** Behind this frame of the gateway's is a slot in which whoever has logs raises its hand. */
  readonly invite: boolean;
  readonly sealed: boolean;
}

/** A header as its writer gives it: the session knows whether it seals, and few frames invite. */
export type NewHeader = Omit<FrameHeader, 'sealed' | 'invite'> & { readonly invite?: boolean };

/** A frame as the session layer opened it: the payload is a message type (1 byte) and a body. */
export interface Frame extends FrameHeader {
  readonly payload: Uint8Array;
}

export function writeHeader(header: NewHeader, sealed: boolean, out: Uint8Array): void {
  out[0] =
    (FRAME_VERSION << 6) |
    (sealed ? SEALED : 0) |
    (header.fromTerminal ? FROM_TERMINAL : 0) |
    (header.attention ? ATTENTION : 0) |
    (header.invite === true ? INVITE : 0);
  out[1] = header.address;
  out[2] = header.sequence;
  out[3] = header.sequence >>> 8;
}

/** @throws WhorlError FRAME_TOO_SHORT, FRAME_VERSION */
export function readHeader(frame: Uint8Array): FrameHeader {
  if (frame.length < HEADER_BYTES)
    throw new WhorlError('FRAME_TOO_SHORT', `a frame of ${frame.length.toString()} bytes`);
  const control = frame[0] ?? 0;
  if (control >> 6 !== FRAME_VERSION || (control & RESERVED) !== 0) {
    throw new WhorlError(
      'FRAME_VERSION',
      `a frame with control byte 0x${control.toString(16).padStart(2, '0')}`,
    );
  }
  return {
    address: frame[1] ?? 0,
    sequence: (frame[2] ?? 0) | ((frame[3] ?? 0) << 8),
    fromTerminal: (control & FROM_TERMINAL) !== 0,
    attention: (control & ATTENTION) !== 0,
    invite: (control & INVITE) !== 0,
    sealed: (control & SEALED) !== 0,
  };
}

/**
 * Whether a stuffed frame invites, without undoing the stuffing: the control byte is the first, and never zero.
 */
export function invites(stuffed: Uint8Array): boolean {
  return (stuffed[0] ?? 0) > 1 && ((stuffed[1] ?? 0) & (INVITE | FROM_TERMINAL)) === INVITE;
}

/** Whether a frame, its stuffing undone, is a short one. */
export function isShort(frame: Uint8Array): boolean {
  return ((frame[0] ?? 0) & SHORT) !== 0 && (frame[0] ?? 0) >> 6 === FRAME_VERSION;
}
