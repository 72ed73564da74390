import { WhorlError } from '../errors.ts';
import { REGISTER_KINDS } from './registers.ts';
import type { RegisterKind } from './registers.ts';

/*
 * Modbus over serial line (V1.02) and application protocol (V1.1b3), as far as registers are read and written: functions
 * 1 to 6, 15 and 16. A frame is the unit, the function, data, and a CRC-16, low byte first; silence ends it.
 */

export const MOST_BITS = 2000;
export const MOST_WORDS = 125;
const MOST_WRITTEN_BITS = 1968;
const MOST_WRITTEN_WORDS = 123;
const ON = 0xff00;
const EXCEPTION = 0x80;
const POLYNOMIAL = 0xa001;

/** What a unit answers instead. */
export const EXCEPTIONS = { function: 1, address: 2, value: 3, failure: 4 } as const;

export type Exception = keyof typeof EXCEPTIONS;

/** What a master asks of a unit. */
export type RtuRequest =
  | { readonly do: 'read'; readonly kind: RegisterKind; readonly address: number; readonly count: number }
  | {
      readonly do: 'write';
      readonly kind: 'coil' | 'holding';
      readonly address: number;
      readonly values: readonly number[];
      /** Asked with the functions for several, and answered so. */
      readonly several: boolean;
    };

/** CRC-16 with the polynomial x¹⁶ + x¹⁵ + x² + 1, reflected, from all ones (Modbus over serial line, 6.2.2). */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  }
  return crc;
}

/** A frame as it goes over the wire. */
export function rtuFrame(unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(pdu.length + 3);
  frame[0] = unit;
  frame.set(pdu, 1);
  const crc = crc16(frame.subarray(0, -2));
  frame[pdu.length + 1] = crc & 0xff;
  frame[pdu.length + 2] = crc >>> 8;
  return frame;
}

/** The unit and what stands between it and a sound CRC; `undefined` for what is no frame. */
export function openRtu(frame: Uint8Array): { readonly unit: number; readonly pdu: Uint8Array } | undefined {
  if (frame.length < 4) return undefined;
  const body = frame.subarray(0, -2);
  const crc = (frame.at(-2) ?? 0) | ((frame.at(-1) ?? 0) << 8);
  return crc16(body) === crc ? { unit: body[0] ?? 0, pdu: body.subarray(1) } : undefined;
}

/** Bytes of the whole request that begins so; `undefined` while that cannot be told, 0 when it is none. */
export function requestLength(begun: Uint8Array): number | undefined {
  const [, code, , , , , bytes] = begun;
  if (code === undefined) return undefined;
  if (code >= 1 && code <= 6) return 8;
  if (code !== 15 && code !== 16) return 0;
  return bytes === undefined ? undefined : 9 + bytes;
}

/** Bytes of the whole answer to a request that begins so; `undefined` while that cannot be told, 0 when it is none. */
export function answerLength(begun: Uint8Array): number | undefined {
  const [, code, bytes] = begun;
  if (code === undefined) return undefined;
  if ((code & EXCEPTION) !== 0) return 5;
  if (code >= 1 && code <= 4) return bytes === undefined ? undefined : 5 + bytes;
  return code === 5 || code === 6 || code === 15 || code === 16 ? 8 : 0;
}

/**
 * Reads what a master asks.
 * @throws WhorlError MODBUS_EXCEPTION with the exception's name as message
 */
export function readRequest(pdu: Uint8Array): RtuRequest {
  const view = new DataView(pdu.buffer, pdu.byteOffset, pdu.byteLength);
  const code = pdu[0] ?? 0;
  const kind = kindBy('read', code);
  if (kind === undefined) return readWrite(pdu, view, code);
  if (pdu.length !== 5) throw exception('value');
  const count = view.getUint16(3);
  if (count < 1 || count > (REGISTER_KINDS[kind].bits === 1 ? MOST_BITS : MOST_WORDS))
    throw exception('value');
  return { do: 'read', kind, address: view.getUint16(1), count };
}

function readWrite(pdu: Uint8Array, view: DataView, code: number): RtuRequest {
  const kind = kindBy('write', code) ?? (code === 15 ? 'coil' : code === 16 ? 'holding' : undefined);
  if (kind !== 'coil' && kind !== 'holding') throw exception('function');
  if (pdu.length < 5) throw exception('value');
  const address = view.getUint16(1);
  const second = view.getUint16(3);
  if (code === 5) {
    if (second !== ON && second !== 0) throw exception('value');
    return { do: 'write', kind, address, values: [second === ON ? 1 : 0], several: false };
  }
  if (code === 6) return { do: 'write', kind, address, values: [second], several: false };
  const bytes = kind === 'coil' ? Math.ceil(second / 8) : 2 * second;
  const most = kind === 'coil' ? MOST_WRITTEN_BITS : MOST_WRITTEN_WORDS;
  if (second < 1 || second > most || pdu.length !== 6 + bytes || pdu[5] !== bytes) throw exception('value');
  const values = Array.from({ length: second }, (_, i) =>
    kind === 'coil' ? ((pdu[6 + (i >> 3)] ?? 0) >> (i & 7)) & 1 : view.getUint16(6 + 2 * i),
  );
  return { do: 'write', kind, address, values, several: true };
}

/** What a unit answers to a read. @param values of as many registers as were asked for */
export function readAnswer(kind: RegisterKind, values: readonly number[]): Uint8Array {
  const { read, bits } = REGISTER_KINDS[kind];
  if (bits === 16)
    return Uint8Array.of(read, 2 * values.length, ...values.flatMap((one) => [one >>> 8, one & 0xff]));
  const packed = new Uint8Array(Math.ceil(values.length / 8));
  for (const [i, value] of values.entries())
    if (value !== 0) packed[i >> 3] = (packed[i >> 3] ?? 0) | (1 << (i & 7));
  return Uint8Array.of(read, packed.length, ...packed);
}

/** What a unit answers to a write: the head of the request. */
export function writeAnswer(request: Uint8Array): Uint8Array {
  return request.slice(0, 5);
}

/** What a unit answers to what it does not do. */
export function exceptionAnswer(code: number, reason: Exception): Uint8Array {
  return Uint8Array.of(code | EXCEPTION, EXCEPTIONS[reason]);
}

function kindBy(way: 'read' | 'write', code: number): RegisterKind | undefined {
  const kinds = Object.keys(REGISTER_KINDS) as RegisterKind[];
  return kinds.find((kind) => REGISTER_KINDS[kind][way] === code);
}

/** The exception of a request that cannot be. */
export class ModbusException extends WhorlError {
  readonly reason: Exception;

  constructor(reason: Exception) {
    super('MODBUS_EXCEPTION', `the unit answers: illegal ${reason}`);
    this.reason = reason;
  }
}

function exception(reason: Exception): ModbusException {
  return new ModbusException(reason);
}
