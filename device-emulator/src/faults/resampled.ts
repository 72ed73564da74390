import { BITS, levelAt } from '../bus/levels.ts';

/**
 * What a receiver makes of bytes when it is set to another speed than the sender: it finds a falling edge, and samples
 * the middles of bits where its own clock says they are. A byte without its stop bit is taken none the less, as most
 * receivers do.
 * @param ratio the receiver's baud rate ÷ the sender's
 */
export function resampled(bytes: Uint8Array, ratio: number): Uint8Array {
  const sent = bytes.length * BITS;
  const heard: number[] = [];
  for (let at = 0; at < sent;) {
    if (levelAt(bytes, at)) {
      at += 1;
      continue;
    }
    let byte = 0;
    for (let bit = 0; bit < 8; bit += 1) if (levelAt(bytes, at + (bit + 1.5) / ratio)) byte |= 1 << bit;
    heard.push(byte);
    // The next falling edge is looked for from the middle of the stop bit on.
    at = Math.max(at + 1, Math.ceil(at + (BITS - 0.5) / ratio));
  }
  return Uint8Array.from(heard);
}
