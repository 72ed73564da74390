/** Bits of a byte on the wire: a start bit (0), eight data bits, low ones first, a stop bit (1). */
export const BITS = 10;

/** The line's level at a time in the sender's bits since it began; it rests high before and behind. */
export function levelAt(bytes: Uint8Array, time: number): boolean {
  const bit = Math.floor(time);
  const byte = bytes[Math.floor(bit / BITS)];
  if (byte === undefined) return true;
  const at = bit % BITS;
  return at === 0 ? false : at === BITS - 1 || ((byte >> (at - 1)) & 1) === 1;
}

/**
 * What a receiver makes of a byte of which only the first bits were driven: the line rests high for the others.
 * @param bits of the byte as it stands on the wire, its start bit included
 * @returns `undefined` when not even the start bit was there
 */
export function brokenOff(byte: number, bits: number): number | undefined {
  const data = Math.floor(bits) - 1;
  return data < 0 ? undefined : (byte | (0xff << data)) & 0xff;
}
