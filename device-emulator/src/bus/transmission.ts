import type { Cancel, Random } from '@whorl/protocol';
import { BITS, brokenOff } from './levels.ts';

/** Bytes on their way over the wire, from one sender. */
export interface Transmission<Sender> {
  readonly sender: Sender;
  readonly start: number;
  end: number;
  bytes: Uint8Array;
  /** Bytes over which somebody else spoke: runs from one index up to, not including, another. */
  spoilt: { readonly from: number; readonly to: number }[] | undefined;
  /** Takes back what waits for its end. */
  timer?: Cancel;
}

/** Told of what crossed the wire, and when its last byte had arrived, by the medium's clock. */
export type Tapped = (
  bytes: Uint8Array,
  fromGateway: boolean,
  how: { readonly noise: boolean; readonly endMs: number },
) => void;

/**
 * Ends a transmission at `now`. What was sent until then still arrives; a byte that breaks off is taken for one whose
 * other bits are those of a line at rest, and takes its whole time.
 * @returns whether anything of it was left to cut
 */
export function cutShort(transmission: Transmission<unknown>, now: number, byteMs: number): boolean {
  const { start, end, bytes } = transmission;
  if (now >= end) return false;
  const sent = now <= start ? 0 : (now - start) / byteMs;
  const whole = Math.floor(sent);
  const last = brokenOff(bytes[whole] ?? 0, BITS * (sent - whole));
  transmission.bytes =
    last === undefined ? bytes.slice(0, whole) : Uint8Array.of(...bytes.subarray(0, whole), last);
  transmission.end = start + transmission.bytes.length * byteMs;
  return true;
}

/** As much of a transmission as was heard at `now`, in whole bytes; the transmission itself goes on. */
export function heardBefore<Sender>(
  transmission: Transmission<Sender>,
  now: number,
  byteMs: number,
): Transmission<Sender> {
  const bytes = transmission.bytes.subarray(0, Math.floor((now - transmission.start) / byteMs));
  return { ...transmission, bytes, end: now };
}

/** Marks what each of two transmissions spoils of the other; answers whether they overlap at all. */
export function collide(a: Transmission<unknown>, b: Transmission<unknown>): boolean {
  const from = Math.max(a.start, b.start);
  const to = Math.min(a.end, b.end);
  if (from >= to) return false;
  spoil(a, from, to);
  spoil(b, from, to);
  return true;
}

/** Of a byte: what ends where the next one begins does so at any time of day, however that is rounded. */
const ROUNDING = 1e-6;

function spoil(transmission: Transmission<unknown>, from: number, to: number): void {
  const byteMs = (transmission.end - transmission.start) / transmission.bytes.length;
  transmission.spoilt ??= [];
  transmission.spoilt.push({
    from: Math.floor((from - transmission.start) / byteMs + ROUNDING),
    to: Math.ceil((to - transmission.start) / byteMs - ROUNDING),
  });
}

/** What two senders at once make of the bytes: anything. The sender's own array is not touched. */
export function garbled({ bytes, spoilt }: Transmission<unknown>, random: Random): Uint8Array {
  if (spoilt === undefined) return bytes;
  const heard = bytes.slice();
  for (const { from, to } of spoilt) {
    const noise = random.bytes(Math.max(0, Math.min(to, heard.length) - from));
    for (const [i, byte] of noise.entries()) heard[from + i] = (heard[from + i] ?? 0) ^ (byte | 1);
  }
  return heard;
}

/** Frames that travel together; a single one is not copied. */
export function joined(frames: readonly Uint8Array[]): Uint8Array {
  const [only] = frames;
  return frames.length === 1 && only !== undefined ? only : Buffer.concat(frames);
}

/** Flips single bits at random, as a bad cable does. */
export class BitErrors {
  readonly #random: Random;
  /** Chance of each bit to be flipped. */
  #rate = 0;
  /** Sound bits before the next flipped one: drawn once an error, not once a bit. */
  #sound = Number.POSITIVE_INFINITY;
  flipped = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** @param rate chance of each bit to be flipped, 0 to 1 */
  set rate(rate: number) {
    this.#rate = rate;
    this.#sound = this.#draw();
  }

  /** The bytes as they arrive; the given array itself when none is hit. */
  pass(bytes: Uint8Array): Uint8Array {
    const bits = 8 * bytes.length;
    if (this.#sound >= bits) {
      this.#sound -= bits;
      return bytes;
    }
    const hit = bytes.slice();
    let at = this.#sound;
    for (; at < bits; at += 1 + this.#draw()) {
      hit[at >> 3] = (hit[at >> 3] ?? 0) ^ (1 << (at & 7));
      this.flipped += 1;
    }
    this.#sound = at - bits;
    return hit;
  }

  /** Geometric distribution, by inversion (Devroye 1986, X.2). */
  #draw(): number {
    if (this.#rate <= 0) return Number.POSITIVE_INFINITY;
    if (this.#rate >= 1) return 0;
    const uniform = (this.#random.below(2 ** 32) + 1) / 2 ** 32;
    return Math.floor(Math.log(uniform) / Math.log1p(-this.#rate));
  }
}
