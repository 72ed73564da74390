import { crc32 } from 'node:zlib';
import { WhorlError } from '../errors.ts';
import { stuff, stuffedMax } from './cobs.ts';
import { BROADCAST, FRAME_VERSION, SHORT } from './frame.ts';

/*
 * SPEC: short frames. On a shared line they ask "has anyone logs?" and answer "I have". They change no state: whoever
 * raised its hand is asked in its session, so a forged one costs a question and nothing else.
 */

const INVITATION = (FRAME_VERSION << 6) | SHORT | 0x04;
const HAND = (FRAME_VERSION << 6) | SHORT | 0x10 | 0x08;
const SHORT_BYTES = 4;

/** Bytes of a short frame on the wire, delimiter included. */
export const SHORT_WIRE_BYTES = stuffedMax(SHORT_BYTES);

function shortWire(control: number, address: number): Uint8Array {
  const check = crc32(Uint8Array.of(control, address));
  const wire = new Uint8Array(SHORT_WIRE_BYTES);
  stuff(Uint8Array.of(control, address, check, check >>> 8), SHORT_BYTES, wire, 0);
  return wire;
}

/** The gateway asks whether anyone has logs; who has, answers in the slot behind it. */
export const INVITATION_WIRE: Uint8Array = shortWire(INVITATION, BROADCAST);

/** A terminal says that it has logs. */
export function handWire(address: number): Uint8Array {
  return shortWire(HAND, address);
}

/**
 * Reads a raised hand, its stuffing undone.
 * @returns the terminal's address
 * @throws WhorlError FRAME_TOO_SHORT, FRAME_VERSION, FRAME_CHECKSUM
 */
export function readHand(frame: Uint8Array): number {
  const [control = 0, address = 0, low = 0, high = 0] = frame;
  if (frame.length !== SHORT_BYTES)
    throw new WhorlError('FRAME_TOO_SHORT', `a short frame of ${frame.length.toString()} bytes`);
  if (control !== HAND)
    throw new WhorlError(
      'FRAME_VERSION',
      `a short frame with control byte 0x${control.toString(16).padStart(2, '0')}`,
    );
  if ((crc32(Uint8Array.of(control, address)) & 0xffff) !== (low | (high << 8)))
    throw new WhorlError('FRAME_CHECKSUM', `a short frame for address ${address.toString()}`);
  return address;
}
