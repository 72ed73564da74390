import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { nonceOf, WhorlError } from '@whorl/protocol';
import type { NoiseKeys } from '@whorl/protocol';

const CIPHER = 'chacha20-poly1305';
const TAG_BYTES = 16;
const ID_BYTES = 8;
const HEAD_BYTES = 1 + ID_BYTES + 8;

/** First byte of what travels: a step of a login, or a message of a session. */
export const LOGIN = 1;
export const SEALED = 2;

/**
 * One end of a session between two gateways: whatever lies between them can neither read nor change nor repeat what
 * they say. A message: what it is (1), the session (8), its number (8), the sealed bytes.
 */
export class Channel {
  /** Names the session, hexadecimal. */
  readonly id: string;
  /** Shows to the other end, in a later login, that it was this process that had the session: no copy of a disk has it. */
  readonly proof: string;
  readonly #out: Uint8Array;
  readonly #in: Uint8Array;
  readonly #hash: Uint8Array;
  #sent = 0;
  #got = 0;

  /** @param begins whether this end is the satellite */
  constructor(keys: NoiseKeys, begins: boolean) {
    this.#out = begins ? keys.forth : keys.back;
    this.#in = begins ? keys.back : keys.forth;
    this.#hash = keys.hash.slice(0, ID_BYTES);
    this.id = Buffer.from(this.#hash).toString('hex');
    this.proof = createHmac('sha256', keys.forth).update('follows').digest('base64');
  }

  seal(clear: Uint8Array): Uint8Array {
    this.#sent += 1;
    const head = Buffer.alloc(HEAD_BYTES);
    head[0] = SEALED;
    head.set(this.#hash, 1);
    head.writeBigUInt64LE(BigInt(this.#sent), 1 + ID_BYTES);
    const cipher = createCipheriv(CIPHER, this.#out, nonceOf(this.#sent), { authTagLength: TAG_BYTES });
    cipher.setAAD(head, { plaintextLength: clear.length });
    return Buffer.concat([head, cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
  }

  /**
   * @returns what was sealed; `undefined` for what has come before, or is from an earlier session
   * @throws WhorlError FRAME_FORGED
   */
  open(bytes: Uint8Array): Uint8Array | undefined {
    if (sessionOf(bytes) !== this.id || bytes.length < HEAD_BYTES + TAG_BYTES) return undefined;
    const head = Buffer.from(bytes.subarray(0, HEAD_BYTES));
    const number = Number(head.readBigUInt64LE(1 + ID_BYTES));
    if (number <= this.#got || number > Number.MAX_SAFE_INTEGER) return undefined;
    const end = bytes.length - TAG_BYTES;
    try {
      const decipher = createDecipheriv(CIPHER, this.#in, nonceOf(number), { authTagLength: TAG_BYTES });
      decipher.setAAD(head, { plaintextLength: end - HEAD_BYTES }).setAuthTag(bytes.subarray(end));
      const clear = Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES, end)), decipher.final()]);
      this.#got = number;
      return clear;
    } catch (cause) {
      throw new WhorlError('FRAME_FORGED', 'a message between gateways was changed on the way', { cause });
    }
  }
}

/** Which session a sealed message says that it belongs to; `undefined` for what is no sealed message. */
export function sessionOf(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== SEALED || bytes.length < HEAD_BYTES) return undefined;
  return Buffer.from(bytes.subarray(1, 1 + ID_BYTES)).toString('hex');
}
