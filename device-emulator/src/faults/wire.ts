import { codeOf, DELIMITER, stuff, stuffedMax, unstuff } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';

/** A frame with one bit flipped, its delimiter spared. */
export function spoilt(wire: Uint8Array, random: Random): Uint8Array {
  const bits = 8 * (wire.length - 1);
  if (bits <= 0) return wire;
  const hit = wire.slice();
  const bit = random.below(bits);
  hit[bit >> 3] = (hit[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return hit;
}

/** A frame with another address in its header; all else, its check included, as it was. */
export function readdressed(wire: Uint8Array, address: number): Uint8Array {
  const end = wire.at(-1) === DELIMITER ? wire.length - 1 : wire.length;
  try {
    const frame = unstuff(wire.subarray(0, end)).slice();
    frame[1] = address;
    const out = new Uint8Array(stuffedMax(frame.length));
    return out.subarray(0, stuff(frame, frame.length, out, 0));
  } catch (error) {
    // Several frames that travel together on a connection are no single one.
    if (codeOf(error) === undefined) throw error;
    return wire;
  }
}
