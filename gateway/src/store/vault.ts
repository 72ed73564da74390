import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { WhorlError } from '@whorl/protocol';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Keeps users unreadable on disk. Each user's record is encrypted under a data key of its own; that key under the
 * master key, which lives beside the database and never in it. Without its data key a record is gone for good.
 */
export class Vault {
  readonly #master: Uint8Array;

  /** @param master 32 bytes */
  constructor(master: Uint8Array) {
    if (master.length !== KEY_BYTES)
      throw new WhorlError('VAULT_KEY_WRONG', `the master key has ${master.length} bytes, not ${KEY_BYTES}`);
    this.#master = master;
  }

  /** What tells whether a database belongs to this key, without telling anything of the key. */
  get check(): Uint8Array {
    return createHmac('sha256', this.#master).update('whorl vault check').digest();
  }

  fits(check: Uint8Array): boolean {
    return check.length === this.check.length && timingSafeEqual(check, this.check);
  }

  /** A fresh data key, wrapped for storing. */
  newKey(user: number): Uint8Array {
    return seal(this.#master, randomBytes(KEY_BYTES), `key ${user}`);
  }

  /** @param version binds the bytes to their place, so that rows cannot be swapped or brought back */
  seal(wrapped: Uint8Array, user: number, version: number, record: Uint8Array): Uint8Array {
    return seal(this.#unwrap(wrapped, user), record, `user ${user} ${version}`);
  }

  /** @throws WhorlError VAULT_SEALED */
  open(wrapped: Uint8Array, user: number, version: number, sealed: Uint8Array): Uint8Array {
    return open(this.#unwrap(wrapped, user), sealed, `user ${user} ${version}`);
  }

  #unwrap(wrapped: Uint8Array, user: number): Uint8Array {
    return open(this.#master, wrapped, `key ${user}`);
  }
}

/** Nonce, ciphertext, tag. Nonces are random: a data key seals far fewer than 2^32 versions. */
function seal(key: Uint8Array, clear: Uint8Array, place: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(place));
  return Buffer.concat([nonce, cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Uint8Array, sealed: Uint8Array, place: string): Uint8Array {
  try {
    const end = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(place))
      .setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch (error) {
    throw new WhorlError('VAULT_SEALED', place, { cause: error });
  }
}
