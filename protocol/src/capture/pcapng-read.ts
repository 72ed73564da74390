import { WhorlError } from '../errors.ts';
import {
  BLOCK_FRAME_BYTES,
  BYTE_ORDER_MAGIC,
  ENHANCED_PACKET,
  INBOUND,
  INTERFACE_DESCRIPTION,
  INTERFACE_NAME,
  INTERFACE_OFFSET,
  INTERFACE_RESOLUTION,
  INTERFACE_SPEED,
  OUTBOUND,
  PACKET_FLAGS,
  padded,
  SECTION_HEADER,
} from './blocks.ts';
import type { CapturedLine, CapturedPacket, Direction } from './packet.ts';

/** Type, length, byte order, version, section length, length. */
const SHORTEST_SECTION_BYTES = 28;
const MICROSECONDS = 1_000_000n;

interface Interface {
  readonly line: CapturedLine;
  readonly linkType: number;
  /** Ticks a second of its time stamps. */
  readonly ticks: bigint;
  /** Seconds to be added to each. */
  readonly offset: bigint;
}

/** Whether bytes begin as a capture does. */
export function isCapture(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && view(bytes).getUint32(0) === SECTION_HEADER;
}

/**
 * The packets of a capture in pcapng, of whichever program and byte order, one after the other; their bytes are views.
 * Blocks of other kinds are passed over.
 * @throws WhorlError CAPTURE_FORMAT for what is no capture; CAPTURE_DAMAGED naming the place, behind the packets that
 * stand before it
 */
export function* readCapture(bytes: Uint8Array): Generator<CapturedPacket, void> {
  if (!isCapture(bytes)) throw new WhorlError('CAPTURE_FORMAT', 'it does not begin as a pcapng file does');
  const data = view(bytes);
  let little = true;
  let interfaces: Interface[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + BLOCK_FRAME_BYTES > bytes.length) throw damaged(at, 'the file ends inside a block');
    const isSection = data.getUint32(at) === SECTION_HEADER;
    if (isSection) {
      little = byteOrder(data, at);
      interfaces = [];
    }
    const total = blockLength(data, at, little, isSection);
    const body = new Body(bytes.subarray(at + 8, at + total - 4), little, at);
    const type = data.getUint32(at, little);
    if (type === INTERFACE_DESCRIPTION) interfaces.push(interfaceOf(body));
    if (type === ENHANCED_PACKET) yield packetOf(body, interfaces);
    at += total;
  }
}

function byteOrder(data: DataView, at: number): boolean {
  const magic = data.getUint32(at + 8, true);
  if (magic === BYTE_ORDER_MAGIC) return true;
  if (data.getUint32(at + 8) === BYTE_ORDER_MAGIC) return false;
  throw damaged(at, 'a section has no byte order');
}

function blockLength(data: DataView, at: number, little: boolean, isSection: boolean): number {
  const total = data.getUint32(at + 4, little);
  if (total < (isSection ? SHORTEST_SECTION_BYTES : BLOCK_FRAME_BYTES) || total % 4 !== 0)
    throw damaged(at, `a block says that it has ${total.toString()} bytes`);
  if (total > data.byteLength - at) throw damaged(at, 'the file ends inside a block');
  if (data.getUint32(at + total - 4, little) !== total)
    throw damaged(at, 'a block has two different lengths');
  return total;
}

/** What stands between the lengths of a block. */
class Body {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly little: boolean;
  readonly #data: DataView;

  constructor(bytes: Uint8Array, little: boolean, at: number) {
    this.bytes = bytes;
    this.little = little;
    this.at = at;
    this.#data = view(bytes);
  }

  u16(at: number): number {
    this.#reach(at + 2);
    return this.#data.getUint16(at, this.little);
  }

  u32(at: number): number {
    this.#reach(at + 4);
    return this.#data.getUint32(at, this.little);
  }

  part(from: number, length: number): Uint8Array {
    this.#reach(from + length);
    return this.bytes.subarray(from, from + length);
  }

  /** The last value of each option, by number. */
  options(from: number): Map<number, Uint8Array> {
    const found = new Map<number, Uint8Array>();
    for (let at = from; at + 4 <= this.bytes.length;) {
      const code = this.u16(at);
      const length = this.u16(at + 2);
      if (code === 0) break;
      found.set(code, this.part(at + 4, length));
      at += 4 + padded(length);
    }
    return found;
  }

  #reach(end: number): void {
    if (end > this.bytes.length) throw damaged(this.at, 'a block ends before what it says it holds');
  }
}

function interfaceOf(body: Body): Interface {
  const options = body.options(8);
  const name = options.get(INTERFACE_NAME);
  const speed = number64(options.get(INTERFACE_SPEED), body.little);
  return {
    line: {
      name: name === undefined ? '' : new TextDecoder().decode(name),
      ...(speed === 0n ? {} : { baud: Number(speed) }),
    },
    linkType: body.u16(0),
    ticks: ticksOf(options.get(INTERFACE_RESOLUTION)?.[0]),
    offset: BigInt.asIntN(64, number64(options.get(INTERFACE_OFFSET), body.little)),
  };
}

function number64(value: Uint8Array | undefined, little: boolean): bigint {
  return value?.length === 8 ? view(value).getBigUint64(0, little) : 0n;
}

/** A negative power of ten; of two when the highest bit is set. */
function ticksOf(resolution = 6): bigint {
  const power = BigInt(resolution & 0x7f);
  return (resolution & 0x80) === 0 ? 10n ** power : 2n ** power;
}

function packetOf(body: Body, interfaces: readonly Interface[]): CapturedPacket {
  const from = interfaces[body.u32(0)];
  if (from === undefined) throw damaged(body.at, 'a packet is of an interface that was not named');
  const length = body.u32(12);
  const ticks = (BigInt(body.u32(4)) << 32n) | BigInt(body.u32(8));
  const bytes = body.part(20, length);
  const flags = body.options(20 + padded(length)).get(PACKET_FLAGS);
  return {
    line: from.line,
    linkType: from.linkType,
    timeUs: Number((ticks * MICROSECONDS) / from.ticks + from.offset * MICROSECONDS),
    direction: directionOf(flags?.length === 4 ? view(flags).getUint32(0, body.little) : 0),
    bytes,
    originalLength: body.u32(16),
  };
}

function directionOf(flags: number): Direction | undefined {
  switch (flags & 3) {
    case INBOUND:
      return 'to-gateway';
    case OUTBOUND:
      return 'to-terminal';
    default:
      return undefined;
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(at: number, what: string): WhorlError {
  return new WhorlError('CAPTURE_DAMAGED', `at byte ${at.toString()}: ${what}`);
}
