import type { FrameHeader } from '../frame/frame.ts';
import { BROADCAST } from '../frame/frame.ts';
import { printable, showMessage, viewMessage } from '../messages/show.ts';
import type { Decoded } from './decode.ts';
import type { Direction } from './packet.ts';

/** ECMAScript's calendar ends here, milliseconds. */
const LAST_MS = 8.64e15;

/** What is shown of a packet: when, where, and what it turned out to be. */
export interface ShownPacket {
  /** Microseconds since 1970 UTC; unknown for bytes that are no capture. */
  readonly timeUs?: number | undefined;
  readonly direction?: Direction | undefined;
  /** Name of the line; none where there is only one. */
  readonly line?: string | undefined;
  readonly decoded: Decoded;
}

/**
 * A packet in one line, secrets masked: time, line, who speaks to whom, number, message and fields. `!` marks
 * attention, `?` an invitation, `*` what was sealed and opened.
 */
export function showPacket(packet: ShownPacket): string {
  const { decoded, line } = packet;
  const time = packet.timeUs === undefined ? [] : [timeOfDay(packet.timeUs)];
  const where = line === undefined || line === '' ? [] : [printable(line).padEnd(8)];
  return [...time, ...where, whoOf(packet).padEnd(6), ...columns(decoded)].join('  ').trimEnd();
}

/** What a packet turned out to be, in words, secrets masked; without marks and number. */
export function showDecoded(decoded: Decoded): string {
  return columns(decoded).at(-1) ?? '';
}

/** A packet as JSON has it, secrets masked. */
export function viewPacket({ timeUs, direction, line, decoded }: ShownPacket): Record<string, unknown> {
  return {
    ...(timeUs === undefined ? {} : { time: isoTime(timeUs) }),
    ...(line === undefined || line === '' ? {} : { line }),
    direction: directionOf(decoded) ?? direction ?? null,
    ...viewDecoded(decoded),
  };
}

/** Which way a frame goes by what it says of itself. */
export function directionOf(decoded: Decoded): Direction | undefined {
  switch (decoded.kind) {
    case 'invitation':
      return 'to-terminal';
    case 'hand':
    case 'here':
      return 'to-gateway';
    case 'damaged':
    case 'nothing':
      return undefined;
    default:
      return decoded.header.fromTerminal ? 'to-gateway' : 'to-terminal';
  }
}

function whoOf({ decoded, direction }: ShownPacket): string {
  const arrow = { 'to-terminal': '→', 'to-gateway': '←', nobody: '·' }[
    directionOf(decoded) ?? direction ?? 'nobody'
  ];
  const address = addressOfDecoded(decoded);
  return address === undefined ? arrow : `${arrow} ${address === BROADCAST ? 'all' : address.toString()}`;
}

/** Which terminal a frame is to or from by what it says of itself; 0 for all. */
export function addressOfDecoded(decoded: Decoded): number | undefined {
  switch (decoded.kind) {
    case 'invitation':
      return BROADCAST;
    case 'hand':
    case 'here':
      return decoded.address;
    case 'damaged':
    case 'nothing':
      return undefined;
    default:
      return decoded.header.address;
  }
}

function columns(decoded: Decoded): string[] {
  switch (decoded.kind) {
    case 'plain':
    case 'opened':
      return [
        marksOf(decoded.header, decoded.kind === 'opened'),
        numberOf(decoded.header),
        showMessage(decoded.message),
      ];
    case 'sealed':
      return [
        marksOf(decoded.header, false),
        numberOf(decoded.header),
        `sealed, ${decoded.length.toString()} bytes`,
      ];
    case 'hand':
    case 'here':
      return [decoded.attention ? ' ! ' : '   ', ''.padEnd(6), decoded.kind];
    case 'invitation':
      return [' ? ', ''.padEnd(6), decoded.kind];
    case 'nothing':
      return ['   ', ''.padEnd(6), 'delimiter'];
    case 'damaged':
      return [
        '   ',
        ''.padEnd(6),
        `damaged, ${decoded.length.toString()} bytes: ${decoded.code}: ${decoded.reason}`,
      ];
  }
}

function marksOf(header: FrameHeader, opened: boolean): string {
  return `${opened ? '*' : ' '}${header.attention ? '!' : header.invite ? '?' : ' '} `;
}

function numberOf({ sequence }: FrameHeader): string {
  return `#${sequence.toString()}`.padEnd(6);
}

function viewDecoded(decoded: Decoded): Record<string, unknown> {
  switch (decoded.kind) {
    case 'plain':
    case 'opened': {
      const { header, message, ...rest } = decoded;
      return { ...rest, ...viewHeader(header), ...viewMessage(message) };
    }
    case 'sealed':
    case 'damaged': {
      const { header, ...rest } = decoded;
      return { ...rest, ...(header === undefined ? {} : viewHeader(header)) };
    }
    default:
      return decoded;
  }
}

function viewHeader({ address, sequence, attention, invite }: FrameHeader): Record<string, unknown> {
  return { address, sequence, attention, invite };
}

/** Microseconds since 1970 as ISO 8601, all six digits kept; a time that no calendar has stays a number. */
function isoTime(timeUs: number): string {
  const milliseconds = Math.floor(timeUs / 1000);
  if (!(Math.abs(milliseconds) <= LAST_MS)) return timeUs.toString();
  const micro = Math.floor(timeUs - 1000 * milliseconds);
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${micro.toString().padStart(3, '0')}Z`;
}

function timeOfDay(timeUs: number): string {
  return /T(.*)Z$/.exec(isoTime(timeUs))?.[1] ?? timeUs.toString();
}
