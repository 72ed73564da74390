import {
  BLOCK_FRAME_BYTES,
  BYTE_ORDER_MAGIC,
  ENHANCED_PACKET,
  INBOUND,
  INTERFACE_DESCRIPTION,
  INTERFACE_NAME,
  INTERFACE_RESOLUTION,
  INTERFACE_SPEED,
  OUTBOUND,
  PACKET_FLAGS,
  padded,
  SECTION_APPLICATION,
  SECTION_HEADER,
} from './blocks.ts';
import { LINK_TYPE } from './packet.ts';
import type { CapturedLine, Crossed, Direction } from './packet.ts';

const MICROSECONDS = 6;
const FLAGS: Readonly<Record<Direction | 'nobody', number>> = {
  'to-terminal': OUTBOUND,
  'to-gateway': INBOUND,
  nobody: 0,
};
const encoder = new TextEncoder();

interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

/**
 * What a capture begins with; a {@link lineBlock} for each further line and a {@link packetBlock} for each packet
 * follow, as soon as they are known.
 */
export function captureHead(lines: readonly CapturedLine[]): Uint8Array {
  return Buffer.concat([sectionBlock(), ...lines.map(lineBlock)]);
}

function sectionBlock(): Uint8Array {
  const fixed = new Uint8Array(16);
  const view = new DataView(fixed.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  // The section's length is not known while it is written: all ones say so.
  fixed.fill(0xff, 8);
  return block(SECTION_HEADER, fixed, [{ code: SECTION_APPLICATION, value: encoder.encode('Whorl') }]);
}

/** A further line; lines are numbered from 0 as their blocks stand in the capture. */
export function lineBlock({ name, baud }: CapturedLine): Uint8Array {
  const fixed = new Uint8Array(8);
  new DataView(fixed.buffer).setUint16(0, LINK_TYPE, true);
  const speed = new Uint8Array(8);
  new DataView(speed.buffer).setBigUint64(0, BigInt(baud ?? 0), true);
  return block(INTERFACE_DESCRIPTION, fixed, [
    { code: INTERFACE_NAME, value: encoder.encode(name) },
    ...(baud === undefined ? [] : [{ code: INTERFACE_SPEED, value: speed }]),
    { code: INTERFACE_RESOLUTION, value: Uint8Array.of(MICROSECONDS) },
  ]);
}

/** @param line which of the lines that stand before it, from 0 */
export function packetBlock(line: number, { timeUs, direction, bytes }: Crossed): Uint8Array {
  const fixed = new Uint8Array(20 + padded(bytes.length));
  const view = new DataView(fixed.buffer);
  view.setUint32(0, line, true);
  view.setUint32(4, Math.floor(timeUs / 2 ** 32), true);
  view.setUint32(8, timeUs % 2 ** 32, true);
  view.setUint32(12, bytes.length, true);
  view.setUint32(16, bytes.length, true);
  fixed.set(bytes, 20);
  const flags = Uint8Array.of(FLAGS[direction ?? 'nobody'], 0, 0, 0);
  return block(ENHANCED_PACKET, fixed, [{ code: PACKET_FLAGS, value: flags }]);
}

function block(type: number, fixed: Uint8Array, options: readonly Option[]): Uint8Array {
  const optionBytes = options.reduce((sum, { value }) => sum + 4 + padded(value.length), 4);
  const total = BLOCK_FRAME_BYTES + fixed.length + optionBytes;
  const out = new Uint8Array(total);
  const view = new DataView(out.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, total, true);
  out.set(fixed, 8);
  let at = 8 + fixed.length;
  for (const { code, value } of options) {
    view.setUint16(at, code, true);
    view.setUint16(at + 2, value.length, true);
    out.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  view.setUint32(total - 4, total, true);
  return out;
}
