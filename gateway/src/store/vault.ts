import { createCipheriv, createDecipheriv, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { WhorlError } from '@whorl/protocol';

const CIPHER = 'aes-256-gcm';
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** So many random bytes, fit for keys. */
export type RandomBytes = (length: number) => Uint8Array;

/**
 * Seals data keys under a master key, which lives beside the database and never in it, and everything else under data
 * keys. Without its data key a record is gone for good.
 */
export class Vault {
  readonly #master: KeyObject;
  readonly #random: RandomBytes;
  /** What tells whether a database belongs to this key, without telling anything of the key. */
  readonly check: Uint8Array;

  /** @param master 32 bytes. @throws WhorlError VAULT_KEY_WRONG */
  constructor(master: Uint8Array, random: RandomBytes) {
    if (master.length !== KEY_BYTES)
      throw new WhorlError('VAULT_KEY_WRONG', `the master key has ${master.length} bytes, not ${KEY_BYTES}`);
    this.#master = createSecretKey(master);
    this.#random = random;
    this.check = createHmac('sha256', master).update('whorl vault check').digest();
  }

  fits(check: Uint8Array): boolean {
    return check.length === this.check.length && timingSafeEqual(check, this.check);
  }

  /** A fresh data key: for use, and wrapped for storing. */
  newKey(user: number): { readonly secret: KeyObject; readonly wrapped: Uint8Array } {
    const key = this.#random(KEY_BYTES);
    return { secret: createSecretKey(key), wrapped: this.wrap(key, user) };
  }

  /** @param key a data key in clear, on its way to another master key */
  wrap(key: Uint8Array, user: number): Uint8Array {
    return this.#seal(this.#master, key, keyPlace(user));
  }

  /** @returns the data key in clear. @throws WhorlError VAULT_SEALED when it is not this user's */
  unwrap(wrapped: Uint8Array, user: number): Uint8Array {
    return open(this.#master, wrapped, keyPlace(user));
  }

  /** @param place binds the bytes to where they stand, so that rows cannot be swapped */
  seal(key: KeyObject, place: string, clear: Uint8Array): Uint8Array {
    return this.#seal(key, clear, place);
  }

  /** @returns what was sealed, alone in its buffer. @throws WhorlError VAULT_SEALED */
  open(key: KeyObject, place: string, sealed: Uint8Array): Uint8Array {
    return open(key, sealed, place);
  }

  /** Nonce, ciphertext, tag. Nonces are random: a key seals far fewer than 2^32 times. */
  #seal(key: KeyObject, clear: Uint8Array, place: string): Uint8Array {
    const nonce = this.#random(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(place));
    return Buffer.concat([nonce, cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
  }
}

function keyPlace(user: number): string {
  return `key ${user}`;
}

function open(key: KeyObject, sealed: Uint8Array, place: string): Uint8Array {
  try {
    const end = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(place))
      .setAuthTag(sealed.subarray(end));
    const clear = decipher.update(sealed.subarray(NONCE_BYTES, end));
    decipher.final();
    return new Uint8Array(clear);
  } catch (error) {
    throw new WhorlError('VAULT_SEALED', place, { cause: error });
  }
}
