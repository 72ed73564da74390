import { WhorlError } from '../errors.ts';
import { encodeMessage } from '../messages/message.ts';
import type { Body, MessageName } from '../messages/message.ts';
import type { Opened, Session } from '../session/session.ts';
import { stuff, stuffedMax, unstuff } from './cobs.ts';
import { MTU_MAX } from './frame.ts';
import type { NewHeader } from './frame.ts';

const scratch = new Uint8Array(2 * MTU_MAX);

/**
 * A message as it goes over the wire: framed by the session, byte-stuffed, delimiter behind it.
 * @returns a new array
 * @throws WhorlError MESSAGE_RANGE, and MESSAGE_LONG when it exceeds MTU_MAX bytes on the wire
 */
export function toWire<Name extends MessageName>(
  session: Session,
  header: NewHeader,
  name: Name,
  body: Body<Name>,
): Uint8Array {
  const from = session.headBytes;
  const payloadLength = encodeMessage(name, body, scratch, from) - from;
  const length = session.seal(header, scratch, payloadLength);
  const wire = new Uint8Array(stuffedMax(length));
  const end = stuff(scratch, length, wire, 0);
  if (end > MTU_MAX) throw new WhorlError('MESSAGE_LONG', `${name}: ${end.toString()} bytes on the wire`);
  return wire.subarray(0, end);
}

/**
 * Opens what stood between two delimiters.
 * @throws WhorlError FRAME_*
 */
export function fromWire(session: Session, stuffed: Uint8Array): Opened {
  return session.open(unstuff(stuffed));
}

/** Type, transfer and index before a chunk's data. */
const CHUNK_HEAD_BYTES = 5;

/** Bytes of an object that a chunk can carry within frames of `mtu` bytes on the wire. */
export function chunkSize(session: Session, mtu: number): number {
  const stuffing = stuffedMax(mtu) - mtu;
  return mtu - stuffing - session.overhead - CHUNK_HEAD_BYTES;
}
