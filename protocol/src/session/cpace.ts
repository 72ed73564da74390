import { createHash } from 'node:crypto';
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { WhorlError } from '../errors.ts';

/*
 * CPace (draft-irtf-cfrg-cpace, CPACE-RISTR255-SHA512, initiator and responder): two ends that share a short code agree
 * on a key. Whoever listens learns nothing, and whoever takes part has one guess a try.
 */

const DSI = Buffer.from('CPaceRistretto255');
const DSI_ISK = Buffer.from('CPaceRistretto255_ISK');
/** SHA-512's block. */
const BLOCK_BYTES = 128;
export const SHARE_BYTES = 32;
export const PAIRING_ID_BYTES = 16;

export interface CpaceParts {
  /** What both ends know: the code, as its digits. */
  readonly code: Uint8Array;
  /** Names the two ends; the same at both. */
  readonly channel: Uint8Array;
  /** Chosen anew for each try. */
  readonly id: Uint8Array;
  /** 32 random bytes, never used twice. */
  readonly secret: Uint8Array;
}

/** One end of an agreement. */
export class Cpace {
  /** What is sent to the other end. */
  readonly share: Uint8Array;
  readonly #parts: CpaceParts;
  readonly #scalar: bigint;

  constructor(parts: CpaceParts) {
    this.#parts = parts;
    this.#scalar = scalarOf(parts.secret);
    this.share = generator(parts).multiply(this.#scalar).toBytes();
  }

  /**
   * The key, 64 bytes: the same at both ends when their codes are.
   * @param own what this end sent with its share, and whether it began
   * @throws WhorlError PAIRING_SHARE for a share that is none
   */
  key(
    their: { readonly share: Uint8Array; readonly note?: Uint8Array },
    own: { readonly begins: boolean; readonly note?: Uint8Array },
  ): Uint8Array {
    const mine = lengthValue(this.share, own.note ?? NOTHING);
    const theirs = lengthValue(their.share, their.note ?? NOTHING);
    const transcript = own.begins ? [mine, theirs] : [theirs, mine];
    const secret = lengthValue(DSI_ISK, this.#parts.id, this.#agree(their.share));
    return sha512(Buffer.concat([secret, ...transcript]));
  }

  #agree(share: Uint8Array): Uint8Array {
    try {
      const point = ristretto255.Point.fromBytes(share).multiply(this.#scalar);
      if (!point.is0()) return point.toBytes();
    } catch (cause) {
      throw new WhorlError('PAIRING_SHARE', 'a share that is no point of the group', { cause });
    }
    throw new WhorlError('PAIRING_SHARE', 'a share that would make the key known to all');
  }
}

/** The key under which two ends prove to each other that they had the same code: 32 bytes of what CPace gave. */
export function pairingKey(key: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update('Whorl 1 pairing').update(key).digest());
}

const NOTHING = new Uint8Array(0);

/** Draft, section on calculate_generator. */
function generator({ code, channel, id }: CpaceParts): InstanceType<typeof ristretto255.Point> {
  const padding = Math.max(0, BLOCK_BYTES - 1 - prefixed(code).length - prefixed(DSI).length);
  const text = lengthValue(DSI, code, new Uint8Array(padding), channel, id);
  const point = ristretto255_hasher.deriveToCurve?.(sha512(text));
  if (point === undefined) throw new Error('this ristretto255 derives no points');
  return point;
}

/** 252 bits, little-endian: always below the group's order. */
function scalarOf(secret: Uint8Array): bigint {
  const bytes = Buffer.from(secret).reverse();
  bytes[0] = (bytes[0] ?? 0) & 0x0f;
  const scalar = BigInt(`0x${bytes.toString('hex')}`);
  return scalar === 0n ? 1n : scalar;
}

/** Each part with its length before it, LEB128. */
function lengthValue(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts.map(prefixed));
}

function prefixed(part: Uint8Array): Uint8Array {
  const prefix: number[] = [];
  let left = part.length;
  do {
    prefix.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
    left >>>= 7;
  } while (left > 0);
  return Buffer.concat([Uint8Array.from(prefix), part]);
}

function sha512(data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha512').update(data).digest());
}
