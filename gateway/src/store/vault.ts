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
 * Keeps users unreadable on disk. Each user's record is encrypted under a data key of its own; that key under the
 * master key, which lives beside the database and never in it. Without its data key a record is gone for good.
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

  /** A fresh data key, wrapped for storing. */
  newKey(user: number): Uint8Array {
    return this.#seal(this.#master, this.#random(KEY_BYTES), keyPlace(user));
  }

  /**
   * @param wrapped the user's data key, as {@link newKey} made it
   * @param version (or another place) binds the bytes to user and version, so that rows cannot be swapped
   * @throws WhorlError VAULT_SEALED when the data key is not this user's
   */
  seal(wrapped: Uint8Array, user: number, version: number | string, record: Uint8Array): Uint8Array {
    return this.#seal(this.#unwrap(wrapped, user), record, recordPlace(user, version));
  }

  /** @returns the record, alone in its buffer. @throws WhorlError VAULT_SEALED */
  open(wrapped: Uint8Array, user: number, version: number | string, sealed: Uint8Array): Uint8Array {
    return open(this.#unwrap(wrapped, user), sealed, recordPlace(user, version));
  }

  /** Seals what is no user's: a pairing key. @param place binds the bytes to where they stand */
  sealSecret(place: string, clear: Uint8Array): Uint8Array {
    return this.#seal(this.#master, clear, place);
  }

  /** @throws WhorlError VAULT_SEALED */
  openSecret(place: string, sealed: Uint8Array): Uint8Array {
    return open(this.#master, sealed, place);
  }

  #unwrap(wrapped: Uint8Array, user: number): KeyObject {
    return createSecretKey(open(this.#master, wrapped, keyPlace(user)));
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

function recordPlace(user: number, version: number | string): string {
  return `user ${user} ${version}`;
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
