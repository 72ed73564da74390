import { createDecipheriv } from 'node:crypto';
import { BROADCAST, HEADER_BYTES, readHeader } from '../frame/frame.ts';
import type { FrameHeader } from '../frame/frame.ts';
import { nonceOf, rekeyed } from '../session/noise.ts';
import {
  CIPHER,
  COUNTER_BYTES,
  epochOf,
  FRAMES_PER_KEY,
  INVITE_MASK,
  SEAL_BYTES,
} from '../session/sealed.ts';
import type { LoggedKeys } from './keys.ts';

/*
 * SPEC: captures. A capture does not say which session a frame is of, nor the upper part of its counter: the key that
 * makes its tag is looked for among those that are known.
 */

/** A session lasts a day: so many times its counter can have gone round when a capture begins. */
const MOST_EPOCHS = 512;
/** Frames for which all of these are tried, per key: those of another session fit none. */
const FAR_SEARCHES = 16;

/** A sealed frame as a key opened it. */
export interface OpenedFrame {
  readonly payload: Uint8Array;
  /** The whole of the counter of which the frame shows the lower half. */
  readonly counter: number;
}

/** Where a counter is looked for: where the key's stands, or anywhere. */
type Where = 'near' | 'far';

/** All keys that are known, newest first, and last used before that. */
export class KeyRing {
  #keys: readonly RingKey[];

  constructor(keys: readonly LoggedKeys[]) {
    this.#keys = keys.toReversed().flatMap(ringKeys);
  }

  get isEmpty(): boolean {
    return this.#keys.length === 0;
  }

  /** Opens a sealed frame, its stuffing undone. @returns `undefined` when no key does */
  open(frame: Uint8Array): OpenedFrame | undefined {
    const header = readHeader(frame);
    return this.#search(frame, header, 'near') ?? this.#search(frame, header, 'far');
  }

  #search(frame: Uint8Array, header: FrameHeader, where: Where): OpenedFrame | undefined {
    for (const key of this.#keys) {
      const opened = key.isFor(header) ? key.open(frame, header, where) : undefined;
      if (opened === undefined) continue;
      if (key !== this.#keys[0]) this.#keys = [key, ...this.#keys.filter((other) => other !== key)];
      return opened;
    }
    return undefined;
  }
}

function ringKeys(keys: LoggedKeys): RingKey[] {
  if (keys.kind === 'group') return [new RingKey(keys.key, BROADCAST, false, keys.epoch)];
  return [new RingKey(keys.forth, keys.address, false), new RingKey(keys.back, keys.address, true)];
}

/** The keys of one direction of a session, and where its counter stands. */
class RingKey {
  readonly #address: number;
  readonly #fromTerminal: boolean;
  /** By epoch, from the first that is known on. */
  readonly #keys: Uint8Array[];
  readonly #first: number;
  #newest = -1;
  #searches = FAR_SEARCHES;

  constructor(key: Uint8Array, address: number, fromTerminal: boolean, first = 0) {
    this.#first = first;
    this.#keys = [key];
    this.#address = address;
    this.#fromTerminal = fromTerminal;
  }

  isFor(header: FrameHeader): boolean {
    return header.address === this.#address && header.fromTerminal === this.#fromTerminal;
  }

  open(frame: Uint8Array, header: FrameHeader, where: Where): OpenedFrame | undefined {
    const low = this.#fromTerminal
      ? (frame[HEADER_BYTES] ?? 0) | ((frame[HEADER_BYTES + 1] ?? 0) << 8)
      : header.sequence;
    for (const epoch of where === 'near' ? this.#near() : this.#far()) {
      const counter = epoch * FRAMES_PER_KEY + low;
      const payload = decrypted(frame, this.#keyOf(epoch), counter, this.#fromTerminal);
      if (payload === undefined) continue;
      this.#newest = Math.max(counter, this.#newest);
      return { payload, counter };
    }
    return undefined;
  }

  *#near(): Generator<number> {
    const near = Math.max(this.#first, epochOf(this.#newest));
    yield near;
    yield near + 1;
    if (near > this.#first) yield near - 1;
  }

  *#far(): Generator<number> {
    if (this.#newest >= 0 || this.#searches === 0) return;
    this.#searches -= 1;
    for (let epoch = this.#first + 2; epoch < this.#first + MOST_EPOCHS; epoch += 1) yield epoch;
  }

  #keyOf(epoch: number): Uint8Array {
    let key = this.#keys.at(-1) ?? new Uint8Array(0);
    for (let made = this.#first + this.#keys.length; made <= epoch; made += 1)
      this.#keys.push((key = rekeyed(key)));
    return this.#keys[epoch - this.#first] ?? key;
  }
}

function decrypted(
  frame: Uint8Array,
  key: Uint8Array,
  counter: number,
  fromTerminal: boolean,
): Uint8Array | undefined {
  const from = HEADER_BYTES + (fromTerminal ? COUNTER_BYTES : 0);
  const end = frame.length - SEAL_BYTES;
  if (end <= from) return undefined;
  const head = Uint8Array.from(frame.subarray(0, from));
  head[0] = (head[0] ?? 0) & INVITE_MASK;
  const decipher = createDecipheriv(CIPHER, key, nonceOf(counter), { authTagLength: SEAL_BYTES });
  decipher.setAAD(head, { plaintextLength: end - from }).setAuthTag(frame.subarray(end));
  const clear = decipher.update(frame.subarray(from, end));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return clear;
}
