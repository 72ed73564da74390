import { decodeRun, directionOf, LINK_TYPE, wireMs } from '@whorl/protocol';
import type { CapturedPacket, Decoded, Direction, FrameHeader, KeyRing } from '@whorl/protocol';

/** A packet of a capture, read. */
export interface Packet {
  /** From 1. */
  readonly number: number;
  /** Milliseconds after the first one. */
  readonly atMs: number;
  readonly line: string;
  readonly direction: Direction | undefined;
  /** Milliseconds before, when its first byte left. */
  readonly tookMs: number;
  readonly decoded: Decoded;
}

/** Reads the packets of a capture in their order; those of other protocols are left out. */
export function readPackets(captured: Iterable<CapturedPacket>, keys: KeyRing): Packet[] {
  const packets: Packet[] = [];
  let number = 0;
  let beganUs: number | undefined;
  for (const { line, linkType, timeUs, direction, bytes } of captured) {
    number += 1;
    if (linkType !== LINK_TYPE) continue;
    beganUs ??= timeUs;
    const decoded = decodeRun(bytes, keys);
    packets.push({
      ...{ number, atMs: (timeUs - beganUs) / 1000, line: line.name, decoded },
      tookMs: line.baud === undefined ? 0 : wireMs(bytes.length, line.baud),
      direction: directionOf(decoded) ?? direction,
    });
  }
  return packets.map(withDamage(packets));
}

/** What no key opens is damaged where keys open what else is said to or by the same terminal. */
function withDamage(packets: readonly Packet[]): (packet: Packet) => Packet {
  const laneOf = (line: string, { address }: FrameHeader): string => `${line} ${address}`;
  const opened = new Set(
    packets.flatMap(({ line, decoded }) => (decoded.kind === 'opened' ? [laneOf(line, decoded.header)] : [])),
  );
  return (packet) => {
    const { line, decoded } = packet;
    if (decoded.kind !== 'sealed' || !opened.has(laneOf(line, decoded.header))) return packet;
    const { header, length } = decoded;
    const reason = 'no key opens it, and keys open what else is said there';
    return { ...packet, decoded: { kind: 'damaged', header, length, code: 'FRAME_FORGED', reason } };
  };
}
