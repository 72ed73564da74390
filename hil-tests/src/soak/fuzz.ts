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
  // Half the time would go into traces of errors that are expected; a crash is told with the input that brings it about.
  Error.stackTraceLimit = 0;
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
  let out: Uint8Array = Uint8Array.from(bytes);
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    const at = random.below(out.length + 1);
    switch (random.below(5)) {
      case 0:
        out = out.slice(0, at);
        break;
      case 1:
        out = joined(out.subarray(0, at), random.bytes(1 + random.below(3)), out.subarray(at));
        break;
      case 2:
        out = joined(out.subarray(at), out.subarray(0, at));
        break;
      default:
        if (at < out.length) out[at] = random.below(256);
    }
  }
  return out;
}

/** Alone in its buffer, as what comes from a wire may be: a read beyond its end shows. */
function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
