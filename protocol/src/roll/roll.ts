import { WhorlError } from '../errors.ts';
import { wireMs } from '../exchange/timing.ts';
import type { LineTiming } from '../exchange/timing.ts';
import { stuff, stuffedMax } from '../frame/cobs.ts';
import { FRAME_VERSION, SHORT } from '../frame/frame.ts';
import type { Body } from '../messages/message.ts';
import type { Session } from '../session/session.ts';
import { sameBytes } from '../user/digest.ts';

/*
 * SPEC: roll call. One broadcast asks all terminals of a line whether they are there; each answers in a time slot of
 * its own with a frame of twelve bytes, authenticated by its session. Nobody waits for one that does not answer.
 */

const HERE = (FRAME_VERSION << 6) | SHORT | 0x20 | 0x10;
const ATTENTION = 0x08;
const HEAD_BYTES = 2;
export const TAG_BYTES = 8;
const HERE_BYTES = HEAD_BYTES + TAG_BYTES;

/** Bytes of an answer to a roll call on the wire, delimiter included. */
export const HERE_WIRE_BYTES = stuffedMax(HERE_BYTES);

/** Slots are told in this unit, milliseconds. */
const SLOT_UNIT_MS = 0.01;
/** Between the latest end of an answer and the earliest beginning of the next. */
const GUARD_BYTES = 0.5;
const GUARD_MS = 0.05;

/** Length of a slot on a line with byte times, milliseconds: an answer, the turnaround it may take, and a guard. */
export function slotMs(baud: number, turnaroundMs: number): number {
  const guard = Math.max(GUARD_MS, wireMs(GUARD_BYTES, baud));
  return wireMs(HERE_WIRE_BYTES, baud) + turnaroundMs + guard;
}

/**
 * A roll call of these terminals.
 * @param number higher than that of any roll call before on this line
 * @param addresses 1 to 247; without any, nobody is called, and nobody answers
 */
export function rollCall(
  number: number,
  addresses: readonly number[],
  timing: LineTiming & { readonly baud: number },
): Body<'roll.call'> {
  const slot = Math.ceil(slotMs(timing.baud, timing.turnaroundMs) / SLOT_UNIT_MS);
  return { number, slot, ...membersOf(addresses) };
}

/** Some terminals of a line. */
export interface Members {
  /** Address of the first bit. */
  readonly first: number;
  /** A bit a terminal, low bits first. */
  readonly members: readonly number[];
}

/** @param addresses 1 to 247; of none, nobody is meant */
export function membersOf(addresses: readonly number[]): Members {
  if (addresses.length === 0) return { first: 1, members: [] };
  const first = Math.min(...addresses);
  const members = new Array<number>(1 + ((Math.max(...addresses) - first) >> 3)).fill(0);
  for (const address of addresses) {
    const at = (address - first) >> 3;
    members[at] = (members[at] ?? 0) | (1 << ((address - first) & 7));
  }
  return { first, members };
}

export function isMember({ first, members }: Members, address: number): boolean {
  return address >= first && has(members, address - first);
}

/** When a terminal begins its answer, milliseconds after the call and its turnaround; `undefined` when it is not called. */
export function slotOf(call: Body<'roll.call'>, address: number): number | undefined {
  const at = address - call.first;
  if (at < 0 || !has(call.members, at)) return undefined;
  let before = 0;
  for (let i = 0; i < at; i += 1) if (has(call.members, i)) before += 1;
  return before * call.slot * SLOT_UNIT_MS;
}

/** How long a roll call's slots take in all, milliseconds. */
export function rollMs(call: Body<'roll.call'>, count: number): number {
  return count * call.slot * SLOT_UNIT_MS;
}

function has(members: readonly number[], at: number): boolean {
  return ((members[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
}

/** What a terminal says in a slot of its own. */
export interface SlotAnswer {
  readonly wire: Uint8Array;
  /** After the end of the call and the terminal's turnaround, milliseconds. */
  readonly afterMs: number;
}

/** A terminal's answer to the roll call with this number, as it goes over the wire. */
export function hereWire(session: Session, number: number, address: number, attention: boolean): Uint8Array {
  const frame = new Uint8Array(HERE_BYTES);
  frame[0] = HERE | (attention ? ATTENTION : 0);
  frame[1] = address;
  frame.set(session.tag(number, frame.subarray(0, HEAD_BYTES)), HEAD_BYTES);
  const wire = new Uint8Array(HERE_WIRE_BYTES);
  return wire.subarray(0, stuff(frame, HERE_BYTES, wire, 0));
}

/** Whom an answer to a roll call is from, not checked yet, its stuffing undone. @throws WhorlError FRAME_TOO_SHORT, FRAME_VERSION */
export function hereFrom(frame: Uint8Array): number {
  const control = frame[0] ?? 0;
  if (frame.length !== HERE_BYTES)
    throw new WhorlError('FRAME_TOO_SHORT', `an answer to a roll call of ${frame.length.toString()} bytes`);
  if ((control & ~ATTENTION) !== HERE)
    throw new WhorlError(
      'FRAME_VERSION',
      `a short frame with control byte 0x${control.toString(16).padStart(2, '0')}`,
    );
  return frame[1] ?? 0;
}

/**
 * Checks an answer to the roll call with this number.
 * @returns whether the terminal has logs
 * @throws WhorlError FRAME_CHECKSUM
 */
export function readHere(session: Session, number: number, frame: Uint8Array): boolean {
  const tag = session.tag(number, frame.subarray(0, HEAD_BYTES));
  if (!sameBytes(tag, frame.subarray(HEAD_BYTES)))
    throw new WhorlError(
      'FRAME_CHECKSUM',
      `an answer to a roll call from address ${(frame[1] ?? 0).toString()}`,
    );
  return ((frame[0] ?? 0) & ATTENTION) !== 0;
}
