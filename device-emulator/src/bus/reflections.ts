import type { Random } from '@whorl/protocol';
import { BITS, levelAt } from './levels.ts';
import type { LineTrouble } from './trouble.ts';

/** A wire without its terminating resistors. */
export interface Reflecting {
  /** From one end to the other, metres. */
  readonly lengthM: number;
  /** What is left of a level when it has been at both ends and is back: 0 where they are terminated, below 1. */
  readonly returned: number;
}

/** Longer than any that RS-485 is made for. */
export const LONGEST_WIRE_M = 10_000;
/** With more, a level would not settle. */
export const MOST_RETURNED = 0.95;

/** Two thirds of the speed of light: 5 ns a metre. */
const METRES_PER_S = 2e8;
/** Echoes below this share of the level are not reckoned. */
const FAINTEST = 0.01;
/** How much a level differs by itself, as a share of its own: standard deviation. */
const NOISE = 0.1;
/** A level so many deviations from the threshold is never mistaken. */
const SAFE = 5;

interface Echo {
  /** How many bits ago the line had the level that comes back now. */
  readonly ago: number;
  /** What is left of it, turned over at each return from the end where somebody drives the line. */
  readonly share: number;
}

/**
 * What reflections make of bytes. The level at the middle of a bit, where receivers look, is what is driven now and what
 * was driven one round ago, two, three, each time weaker and turned over. On a line that is short for its speed all of
 * that is the same bit, and nothing happens; on a long or fast one it is the bits before, and some patterns of them
 * eat up so much of a level that it is mistaken, always the same ones.
 */
export function reflecting({ lengthM, returned }: Reflecting, baud: number, random: Random): LineTrouble {
  const roundBits = (2 * lengthM * baud) / METRES_PER_S;
  const echoes = echoesOf(roundBits, returned);
  const pass = (bytes: Uint8Array): Uint8Array => reflected(bytes, echoes, random);
  // The last echo that could be another bit than the one that is looked at is too faint.
  return echoes.length === 0 ? {} : { toTerminals: pass, toGateway: pass };
}

/** The echoes that are another bit's, if any. */
function echoesOf(roundBits: number, returned: number): readonly Echo[] {
  const echoes: Echo[] = [];
  for (let n = 1; returned ** n >= FAINTEST; n += 1)
    echoes.push({ ago: n * roundBits, share: (-returned) ** n });
  return (echoes.at(-1)?.ago ?? 0) > 0.5 ? echoes : [];
}

function reflected(bytes: Uint8Array, echoes: readonly Echo[], random: Random): Uint8Array {
  let hit: Uint8Array | undefined;
  for (let at = 0; at < bytes.length; at += 1)
    for (let bit = 0; bit < 8; bit += 1) {
      const room = roomAt(bytes, at * BITS + 1 + bit + 0.5, echoes);
      if (room > SAFE * NOISE || room + NOISE * bell(random) > 0) continue;
      hit ??= bytes.slice();
      hit[at] = (hit[at] ?? 0) ^ (1 << bit);
    }
  return hit ?? bytes;
}

/** How far a level is from the threshold, as a share of what it would be without echoes; negative on its wrong side. */
function roomAt(bytes: Uint8Array, time: number, echoes: readonly Echo[]): number {
  const level = levelAt(bytes, time);
  let sum = 1;
  let settled = 1;
  for (const { ago, share } of echoes) {
    sum += levelAt(bytes, time - ago) === level ? share : -share;
    settled += share;
  }
  return sum / settled;
}

/** Normal distribution by Box and Muller (1958). */
function bell(random: Random): number {
  const [a, b] = [random.below(2 ** 32) + 1, random.below(2 ** 32)];
  return Math.sqrt(-2 * Math.log(a / 2 ** 32)) * Math.cos((2 * Math.PI * b) / 2 ** 32);
}
