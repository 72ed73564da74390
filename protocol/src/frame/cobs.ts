import { WhorlError } from '../errors.ts';

/** What ends a frame on the wire. */
export const DELIMITER = 0x00;

/** Most bytes that COBS makes of `length` bytes, the delimiter included. */
export function stuffedMax(length: number): number {
  return length + 1 + Math.floor(length / 254) + 1;
}

/**
 * Consistent Overhead Byte Stuffing (Cheshire and Baker 1999): the bytes without any zero, and a delimiter behind
 * them, at `at` in `out`.
 * @returns the position behind the delimiter
 */
export function stuff(bytes: Uint8Array, length: number, out: Uint8Array, at: number): number {
  let codeAt = at;
  let to = at + 1;
  for (let i = 0; i < length; i += 1) {
    const byte = bytes[i] ?? 0;
    if (byte !== 0) {
      out[to] = byte;
      to += 1;
    }
    if (byte === 0 || to - codeAt === 0xff) {
      out[codeAt] = to - codeAt;
      codeAt = to;
      to += 1;
    }
  }
  out[codeAt] = to - codeAt;
  out[to] = DELIMITER;
  return to + 1;
}

/**
 * Undoes {@link stuff} for what stood between two delimiters.
 * @returns a new array
 * @throws WhorlError FRAME_COBS
 */
export function unstuff(stuffed: Uint8Array): Uint8Array {
  const length = stuffed.length;
  const out = new Uint8Array(length);
  let to = 0;
  let at = 0;
  while (at < length) {
    const code = stuffed[at] ?? 0;
    const end = at + code;
    if (code === 0 || end > length) throw new WhorlError('FRAME_COBS', 'a run points behind the frame');
    for (at += 1; at < end; at += 1) {
      const byte = stuffed[at] ?? 0;
      if (byte === 0) throw new WhorlError('FRAME_COBS', 'a zero inside the frame');
      out[to] = byte;
      to += 1;
    }
    if (code !== 0xff && end < length) {
      out[to] = 0;
      to += 1;
    }
  }
  return out.subarray(0, to);
}
