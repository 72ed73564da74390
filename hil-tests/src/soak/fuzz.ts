import { seededRandom, systemClock, WhorlError } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { corpus } from './corpus.ts';

/**
 * Damaged frames plain and sealed, handshakes, pairings, messages, users and batches through the whole decode path, and
 * at a terminal. Anything but a WhorlError is a crash.
 * @returns how many were tried, and how many crashed
 */
export function fuzz(options: { seed: number; forMs: number }): {
  frames: number;
  crashes: number;
  first?: string;
} {
  const random = seededRandom(options.seed);
  const seeds = corpus();
  const end = systemClock.now() + options.forMs;
  let frames = 0;
  let crashes = 0;
  let first: string | undefined;
  for (let round = 0; systemClock.now() < end; round += 1) {
    for (const seed of seeds) {
      if (round % seed.every !== 0) continue;
      const input = mutated(seed.bytes, random);
      frames += 1;
      try {
        seed.decode(input);
      } catch (error) {
        if (error instanceof WhorlError) continue;
        crashes += 1;
        first ??= `${seed.name}: ${Buffer.from(input).toString('hex')}: ${String(error)}`;
      }
    }
  }
  return { frames, crashes, ...(first === undefined ? {} : { first }) };
}

/** A few bytes changed, cut, doubled or put in. */
function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let out = Uint8Array.from(bytes);
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    const at = random.below(out.length + 1);
    switch (random.below(5)) {
      case 0:
        out = out.slice(0, at);
        break;
      case 1:
        out = Uint8Array.from([
          ...out.subarray(0, at),
          ...random.bytes(1 + random.below(3)),
          ...out.subarray(at),
        ]);
        break;
      case 2:
        out = Uint8Array.from([...out.subarray(at), ...out.subarray(0, at)]);
        break;
      default:
        if (at < out.length) out[at] = random.below(256);
    }
  }
  return out;
}
