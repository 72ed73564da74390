import { WhorlError } from '../errors.ts';

/**
 * A user with each field as its bytes on the wire, by field number, ascending. What merges, compares, stores and
 * sends users works on this form: it needs no knowledge of what a field means, and carries fields of later releases.
 * For the typed form see user.ts.
 */
export interface UserRecord {
  readonly id: number;
  readonly fields: ReadonlyMap<number, Uint8Array>;
}

/** Bytes of a record before its fields: id and number of fields. */
export const RECORD_HEAD_BYTES = 5;

/** Bytes of the length that follows a field number. */
export function lengthWidth(number: number): 1 | 2 | 4 {
  return number < 0x40 ? 1 : number < 0x80 ? 2 : 4;
}

/** Bytes that {@link writeRecord} makes of a record. */
export function recordSize(record: UserRecord): number {
  let size = RECORD_HEAD_BYTES;
  for (const [number, value] of record.fields) size += 1 + lengthWidth(number) + value.length;
  return size;
}

/** Makes a record of fields in any order. */
export function recordOf(id: number, fields: Iterable<readonly [number, Uint8Array]>): UserRecord {
  return { id, fields: new Map([...fields].sort((a, b) => a[0] - b[0])) };
}

/**
 * A record as bytes: id (4), number of fields (1), then for each field its number (1), length (1, 2 or 4) and value.
 * Equal records give equal bytes.
 * @throws WhorlError MESSAGE_RANGE for a value longer than its length can tell
 */
export function writeRecord(record: UserRecord): Uint8Array {
  const out = new Uint8Array(recordSize(record));
  const view = new DataView(out.buffer);
  view.setUint32(0, record.id, true);
  out[4] = record.fields.size;
  let at = RECORD_HEAD_BYTES;
  for (const [number, value] of record.fields) {
    out[at] = number;
    at = writeLength(view, at + 1, lengthWidth(number), value.length);
    out.set(value, at);
    at += value.length;
  }
  return out;
}

/**
 * Reads what {@link writeRecord} wrote; the values are views of `bytes`.
 * @throws WhorlError MESSAGE_SHORT, MESSAGE_LONG, USER_ORDER
 */
export function readRecord(bytes: Uint8Array): UserRecord {
  if (bytes.length < RECORD_HEAD_BYTES) throw new WhorlError('MESSAGE_SHORT', 'user record: head');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = new Map<number, Uint8Array>();
  let at = RECORD_HEAD_BYTES;
  let previous = -1;
  for (let left = view.getUint8(4); left > 0; left -= 1) {
    const number = bytes[at] ?? 0;
    const width = lengthWidth(number);
    if (at + 1 + width > bytes.length)
      throw new WhorlError('MESSAGE_SHORT', 'user record: length of a field');
    if (number <= previous)
      throw new WhorlError(
        'USER_ORDER',
        `user record: field ${number.toString()} after ${previous.toString()}`,
      );
    const length = readLength(view, at + 1, width);
    at += 1 + width;
    if (length > bytes.length - at)
      throw new WhorlError('MESSAGE_SHORT', `user record: field ${number.toString()}`);
    fields.set(number, bytes.subarray(at, at + length));
    at += length;
    previous = number;
  }
  if (at !== bytes.length) throw new WhorlError('MESSAGE_LONG', 'user record: bytes after the last field');
  return { id: view.getUint32(0, true), fields };
}

function writeLength(view: DataView, at: number, width: 1 | 2 | 4, length: number): number {
  if (length >= 2 ** (8 * width))
    throw new WhorlError('MESSAGE_RANGE', `user record: a field of ${length.toString()} bytes`);
  if (width === 1) view.setUint8(at, length);
  else if (width === 2) view.setUint16(at, length, true);
  else view.setUint32(at, length, true);
  return at + width;
}

function readLength(view: DataView, at: number, width: 1 | 2 | 4): number {
  if (width === 1) return view.getUint8(at);
  return width === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}
