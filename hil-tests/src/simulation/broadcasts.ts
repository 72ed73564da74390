import { BROADCAST, decodeRun, DELIMITER, KeyRing } from '@whorl/protocol';
import type { LoggedKeys } from '@whorl/protocol';

/** Of each line: who was away while a key was renewed is told the newest only. */
const KEPT = 2;
/** Stuffed, a frame begins with the distance to its first zero: that of a broadcast is its address, the second byte. */
const BROADCAST_BEGINS = 2;

/**
 * What a gateway says to all terminals of its lines, heard where it says it, with the keys that terminals were handed
 * there: what none of these opens, nobody understands, whatever becomes of it on the wire.
 */
export class Broadcasts {
  /** What was said to nobody. */
  readonly wrong: string[] = [];
  readonly #keys = new Map<string, readonly LoggedKeys[]>();
  readonly #rings = new Map<string, KeyRing>();

  /** A terminal was handed keys. */
  readable(keys: LoggedKeys): void {
    if (keys.kind !== 'group') return;
    const known = this.#keys.get(keys.line) ?? [];
    const others = known.filter((one) => one.kind !== 'group' || Buffer.compare(one.key, keys.key) !== 0);
    const kept = [...others, keys].slice(-KEPT);
    this.#keys.set(keys.line, kept);
    if (others.length === known.length) this.#rings.set(keys.line, new KeyRing(kept));
  }

  said(line: string, bytes: Uint8Array): void {
    // One goes before the frame when there was noise.
    const from = bytes[0] === DELIMITER ? 1 : 0;
    if (bytes[from] !== BROADCAST_BEGINS) return;
    const decoded = decodeRun(bytes.subarray(from), this.#rings.get(line));
    if (decoded.kind === 'sealed' && decoded.header.address === BROADCAST)
      this.wrong.push(`${decoded.length} bytes were said to all of ${line}, and nobody had the key`);
  }
}
