const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Names are short and mostly ASCII, where a loop beats the call into native code. */
const SHORT = 24;

/**
 * Writes `text` as UTF-8.
 * @returns the number of bytes written, or -1 when more than `max` (or than fit) would be needed
 */
export function writeText(text: string, out: Uint8Array, at: number, max: number): number {
  const length = text.length;
  if (length > max || at + length > out.length) return -1;
  for (let i = 0; i < length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit > 127) return writeAny(text, out, at, max);
    out[at + i] = unit;
  }
  return length;
}

function writeAny(text: string, out: Uint8Array, at: number, max: number): number {
  const { read, written } = encoder.encodeInto(text, out.subarray(at, at + max));
  return read === text.length ? written : -1;
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
