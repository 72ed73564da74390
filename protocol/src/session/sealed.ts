import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { WhorlError } from '../errors.ts';
import { HEADER_BYTES, readHeader, writeHeader } from '../frame/frame.ts';
import { hkdf, rekeyed } from './noise.ts';
import type { NoiseKeys } from './noise.ts';
import type { GroupEnd, GroupKey, SealedEnd, Session, SharedFrame } from './session.ts';
import { SlotKey } from './slot-key.ts';
import { LOOSE, ReplayWindow, STRICT } from './window.ts';

/*
 * SPEC: sealed session. ChaCha20-Poly1305 with tags cut to 8 bytes; the nonce is a counter of each direction, of which
 * the low 16 bits cross the wire.
 */

export const CIPHER = 'chacha20-poly1305';
export const SEAL_BYTES = 8;
/** A terminal's frame carries its own counter beside the request's number. */
export const COUNTER_BYTES = 2;
/** Frames under one key of a direction: the counter's low half. */
export const FRAMES_PER_KEY = 0x1_0000;
/** The bit of the control byte that is no part of what is sealed: a repeated frame may or may not invite. */
export const INVITE_MASK = 0xff ^ 0x04;

export type End = 'gateway' | 'terminal';

/**
 * One end of a session whose keys a handshake made.
 * @param keys the gateway is the initiator
 */
export function sealedSession(end: End, keys: NoiseKeys): SealedEnd {
  const [slotKey = new Uint8Array(0)] = hkdf(keys.hash, Buffer.concat([keys.forth, keys.back]), 2);
  const own = end === 'gateway' ? keys.forth : keys.back;
  const other = end === 'gateway' ? keys.back : keys.forth;
  return new SealedSession(end, new Direction(own), new Direction(other), new SlotKey(slotKey));
}

/** One end of the session of a whole line, for broadcasts: the gateway says, all terminals hear. */
export function groupSession(end: End, { key, next }: GroupKey): GroupEnd {
  const epoch = epochOf(next);
  const directions = [new Direction(key, epoch), new Direction(key, epoch)] as const;
  return new SealedSession(end, ...directions, undefined, next);
}

/** How often the key of a direction was renewed when this counter is reached. */
export function epochOf(counter: number): number {
  return Math.floor(counter / FRAMES_PER_KEY);
}

class SealedSession implements GroupEnd {
  readonly sealed = true;
  readonly headBytes: number;
  readonly overhead: number;
  readonly #sending: Direction;
  readonly #receiving: Direction;
  readonly #slots: SlotKey | undefined;
  readonly #terminal: boolean;
  readonly #window: ReplayWindow;
  readonly #nonce = new Uint8Array(12);
  readonly #longHead = new Uint8Array(HEADER_BYTES + COUNTER_BYTES);
  readonly #shortHead = new Uint8Array(HEADER_BYTES);
  #next: number;

  /**
   * @param slots none where nobody answers
   * @param next counter of both directions' next frame
   */
  constructor(end: End, sending: Direction, receiving: Direction, slots: SlotKey | undefined, next = 0) {
    this.#next = next;
    this.#terminal = end === 'terminal';
    this.#window = new ReplayWindow(next - 1, this.#terminal ? STRICT : LOOSE);
    this.headBytes = headBytes(this.#terminal);
    this.overhead = this.headBytes + SEAL_BYTES;
    this.#sending = sending;
    this.#receiving = receiving;
    this.#slots = slots;
  }

  nextSequence(): number {
    const sequence = this.#next & 0xffff;
    this.#next += 1;
    return sequence;
  }

  handOver(): GroupKey {
    return { key: this.#sending.rawKeyOf(this.#next), next: this.#next };
  }

  seal(header: Parameters<Session['seal']>[0], buffer: Uint8Array, length: number): number {
    writeHeader(header, true, buffer);
    const counter = this.#terminal ? this.#next : latest(this.#next - 1, header.sequence);
    if (this.#terminal) {
      this.#next += 1;
      buffer[HEADER_BYTES] = counter;
      buffer[HEADER_BYTES + 1] = counter >>> 8;
    }
    const from = this.headBytes;
    const cipher = createCipheriv(CIPHER, this.#sending.keyOf(counter), this.#nonceOf(counter), SEAL);
    cipher.setAAD(this.#additional(buffer, from), { plaintextLength: length });
    buffer.set(cipher.update(buffer.subarray(from, from + length)), from);
    cipher.final();
    buffer.set(cipher.getAuthTag(), from + length);
    return from + length + SEAL_BYTES;
  }

  open(frame: Uint8Array, shared?: SharedFrame): ReturnType<Session['open']> {
    const header = readHeader(frame);
    const from = headBytes(header.fromTerminal);
    const end = frame.length - SEAL_BYTES;
    if (end <= from)
      throw new WhorlError('FRAME_TOO_SHORT', `a sealed frame of ${frame.length.toString()} bytes`);
    if (!header.sealed)
      throw new WhorlError(
        'FRAME_SEALED',
        `a plain frame on the sealed session of address ${header.address}`,
      );
    if (header.fromTerminal === this.#terminal)
      throw new WhorlError('FRAME_FORGED', `a frame of this end's own direction, address ${header.address}`);
    const low = this.#terminal
      ? header.sequence
      : (frame[HEADER_BYTES] ?? 0) | ((frame[HEADER_BYTES + 1] ?? 0) << 8);
    const counter = nearest(this.#window.newest + 1, low);
    const key = this.#receiving.keyOf(counter);
    const known = shared?.opened;
    const payload =
      known?.counter === counter && known.key.equals(key)
        ? known.payload
        : this.#decrypt(frame, { from, end, key, counter, address: header.address });
    if (shared !== undefined) shared.opened ??= { key, counter, payload };
    return { ...header, payload, fresh: this.#window.take(counter) };
  }

  tag(number: number, head: Uint8Array): Uint8Array {
    if (this.#slots === undefined) throw new Error('to a broadcast each answers in a session of its own');
    return this.#slots.tag(number, head);
  }

  /** In the same array each time: it is used before the next one is asked for. */
  #nonceOf(counter: number): Uint8Array {
    const nonce = this.#nonce;
    nonce[4] = counter;
    nonce[5] = counter >>> 8;
    nonce[6] = counter >>> 16;
    nonce[7] = counter >>> 24;
    const high = Math.floor(counter / 0x1_0000_0000);
    nonce[8] = high;
    nonce[9] = high >>> 8;
    return nonce;
  }

  /** What is authenticated but not encrypted: the header, and a terminal's counter. In the same array each time. */
  #additional(frame: Uint8Array, length: number): Uint8Array {
    const head = length === HEADER_BYTES ? this.#shortHead : this.#longHead;
    for (let at = 0; at < length; at += 1) head[at] = frame[at] ?? 0;
    head[0] = (head[0] ?? 0) & INVITE_MASK;
    return head;
  }

  #decrypt(
    frame: Uint8Array,
    at: { from: number; end: number; key: KeyObject; counter: number; address: number },
  ): Uint8Array {
    const { from, end, key, counter, address } = at;
    try {
      const decipher = createDecipheriv(CIPHER, key, this.#nonceOf(counter), SEAL);
      decipher.setAAD(this.#additional(frame, from), { plaintextLength: end - from });
      decipher.setAuthTag(frame.subarray(end));
      const clear = decipher.update(frame.subarray(from, end));
      decipher.final();
      return clear;
    } catch (cause) {
      throw new WhorlError('FRAME_FORGED', `a sealed frame for address ${address.toString()}`, { cause });
    }
  }
}

const SEAL = { authTagLength: SEAL_BYTES };

function headBytes(fromTerminal: boolean): number {
  return fromTerminal ? HEADER_BYTES + COUNTER_BYTES : HEADER_BYTES;
}

/** The highest counter up to `newest` with these low bits. */
function latest(newest: number, low: number): number {
  return newest - ((newest - low) & 0xffff);
}

/** The counter with these low bits that is nearest to what is expected. */
function nearest(expected: number, low: number): number {
  const at = latest(expected, low);
  const above = at + FRAMES_PER_KEY;
  return at >= 0 && expected - at <= above - expected ? at : above;
}

/** The keys of one direction: a new one for each 65,536 frames, from which the one before cannot be had. */
class Direction {
  #epoch: number;
  #key: KeyObject;
  #raw: Uint8Array;
  #before: KeyObject | undefined;

  constructor(key: Uint8Array, epoch = 0) {
    this.#epoch = epoch;
    this.#raw = key;
    this.#key = createSecretKey(key);
  }

  rawKeyOf(counter: number): Uint8Array {
    this.keyOf(counter);
    return this.#raw.slice();
  }

  /** @throws WhorlError FRAME_FORGED for a counter further away than one border */
  keyOf(counter: number): KeyObject {
    const epoch = epochOf(counter);
    if (epoch === this.#epoch) return this.#key;
    if (epoch === this.#epoch - 1 && this.#before !== undefined) return this.#before;
    if (epoch !== this.#epoch + 1)
      throw new WhorlError('FRAME_FORGED', `a frame with counter ${counter.toString()}`);
    this.#before = this.#key;
    this.#raw = rekeyed(this.#raw);
    this.#key = createSecretKey(this.#raw);
    this.#epoch = epoch;
    return this.#key;
  }
}
