const encoder = new TextEncoder();
/** A byte order mark is a character like any other: what was written is what is read. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Names are short and mostly ASCII, where a loop beats the call into native code. */
const SHORT = 24;

/**
 * Writes `text` as UTF-8.
 * @returns the number of bytes; -1 when they are more than `max`. When they are more than `out` has room for, it is
 * more than that room.
 */
export function writeText(text: string, out: Uint8Array, at: number, max: number): number {
  const length = text.length;
  if (length > max) return -1;
  if (at + length > out.length) return byteLength(text, max);
  for (let i = 0; i < length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit > 127) return writeAny(text, out, at, max);
    out[at + i] = unit;
  }
  return length;
}

function writeAny(text: string, out: Uint8Array, at: number, max: number): number {
  const { read, written } = encoder.encodeInto(text, out.subarray(at, at + max));
  return read === text.length ? written : byteLength(text, max);
}

function byteLength(text: string, max: number): number {
  const { length } = encoder.encode(text);
  return length > max ? -1 : length;
}

/** Reads UTF-8; what is not valid becomes U+FFFD, for a name is shown and never computed with. */
export function readText(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > SHORT) return decoder.decode(bytes.subarray(from, to));
  let text = '';
  for (let i = from; i < to; i += 1) {
    const byte = bytes[i] ?? 0;
    if (byte > 127) return decoder.decode(bytes.subarray(from, to));
    text += String.fromCharCode(byte);
  }
  return text;
}
