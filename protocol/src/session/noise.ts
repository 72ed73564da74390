import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { WhorlError } from '../errors.ts';

/*
 * The Noise Protocol Framework (Perrin, revision 34), pattern NNpsk0:
 *
 *   -> psk, e
 *   <- e, ee
 *
 * Both ends prove that they have the pre-shared key; the two ephemeral keys give forward secrecy.
 */

export const NOISE_NAME = 'Noise_NNpsk0_25519_ChaChaPoly_SHA256';
export const KEY_BYTES = 32;
export const KEY_ID_BYTES = 8;
/** A handshake message without a payload: an ephemeral key and a tag. */
export const HANDSHAKE_BYTES = KEY_BYTES + 16;

const CIPHER = 'chacha20-poly1305';
const TAG_BYTES = 16;
const NOTHING = new Uint8Array(0);

/** Names a key without telling anything of it. */
export function keyId(key: Uint8Array): Uint8Array {
  return sha256(key).subarray(0, KEY_ID_BYTES);
}

/** What both ends have after a handshake. */
export interface NoiseKeys {
  /** From the initiator to the responder. */
  readonly forth: Uint8Array;
  /** From the responder to the initiator. */
  readonly back: Uint8Array;
  /** Names this very handshake; both ends have the same. */
  readonly hash: Uint8Array;
}

/** What both ends of a session agree on before: the protocol, and whose session it is. */
export function prologueOf(serial: string, address: number): Uint8Array {
  return Buffer.from(`Whorl 1 ${address.toString()} ${serial}`);
}

export interface NoiseParts {
  /** The pre-shared key, 32 bytes. */
  readonly psk: Uint8Array;
  /** What both ends must agree on beforehand; whoever has another one is refused. */
  readonly prologue: Uint8Array;
  /** The private half of a fresh ephemeral key, 32 random bytes, never used twice. */
  readonly ephemeral: Uint8Array;
}

/** The end that begins: the gateway. */
export class NoiseInitiator {
  readonly #state: SymmetricState;
  readonly #ephemeral: KeyObject;

  constructor({ psk, prologue, ephemeral }: NoiseParts) {
    this.#state = new SymmetricState(prologue);
    this.#state.mixKeyAndHash(psk);
    this.#ephemeral = privateKey(ephemeral);
  }

  /** The first message, to be sent once. */
  begin(payload: Uint8Array = NOTHING): Uint8Array {
    const own = publicKey(this.#ephemeral);
    this.#state.mixHash(own);
    this.#state.mixKey(own);
    return joined(own, this.#state.seal(payload));
  }

  /**
   * Takes the answer.
   * @throws WhorlError FRAME_FORGED when the other end has another key, or something was changed on the way
   */
  finish(message: Uint8Array): { readonly payload: Uint8Array; readonly keys: NoiseKeys } {
    const theirs = ephemeralOf(message);
    this.#state.mixHash(theirs);
    this.#state.mixKey(theirs);
    this.#state.mixKey(agree(this.#ephemeral, theirs));
    const payload = this.#state.open(message.subarray(KEY_BYTES));
    return { payload, keys: this.#state.split() };
  }
}

/**
 * The end that answers: the terminal.
 * @throws WhorlError FRAME_FORGED when the other end has another key, or something was changed on the way
 */
export function respond(
  { psk, prologue, ephemeral }: NoiseParts,
  message: Uint8Array,
  answer: Uint8Array = NOTHING,
): { readonly payload: Uint8Array; readonly answer: Uint8Array; readonly keys: NoiseKeys } {
  const state = new SymmetricState(prologue);
  state.mixKeyAndHash(psk);
  const theirs = ephemeralOf(message);
  state.mixHash(theirs);
  state.mixKey(theirs);
  const payload = state.open(message.subarray(KEY_BYTES));
  const key = privateKey(ephemeral);
  const own = publicKey(key);
  state.mixHash(own);
  state.mixKey(own);
  state.mixKey(agree(key, theirs));
  const sealed = state.seal(answer);
  return { payload, answer: joined(own, sealed), keys: state.split() };
}

/** Noise's REKEY (section 4.2): the next key, from which the one before cannot be had. */
export function rekeyed(key: Uint8Array): Uint8Array {
  const nonce = Buffer.alloc(12, 0xff);
  nonce.fill(0, 0, 4);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  return new Uint8Array(cipher.update(new Uint8Array(KEY_BYTES)));
}

/** HKDF as Noise has it (section 4.3): that of RFC 5869 with nothing for its `info`. */
export function hkdf(chaining: Uint8Array, material: Uint8Array, outputs: 2 | 3): Uint8Array[] {
  const made = new Uint8Array(hkdfSync('sha256', material, chaining, NOTHING, outputs * KEY_BYTES));
  return Array.from({ length: outputs }, (_, at) => made.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES));
}

/** Section 5.2: the chaining key, the hash of all that was said, and the key of the moment. */
class SymmetricState {
  #chaining: Uint8Array;
  #hash: Uint8Array;
  #key: Uint8Array = NOTHING;
  #nonce = 0;

  constructor(prologue: Uint8Array) {
    // The name is longer than a hash, so its hash stands for it.
    this.#hash = sha256(Buffer.from(NOISE_NAME));
    this.#chaining = this.#hash;
    this.mixHash(prologue);
  }

  mixHash(data: Uint8Array): void {
    this.#hash = sha256(this.#hash, data);
  }

  mixKey(material: Uint8Array): void {
    const [chaining = NOTHING, key = NOTHING] = hkdf(this.#chaining, material, 2);
    this.#chaining = chaining;
    this.#setKey(key);
  }

  mixKeyAndHash(material: Uint8Array): void {
    const [chaining = NOTHING, hash = NOTHING, key = NOTHING] = hkdf(this.#chaining, material, 3);
    this.#chaining = chaining;
    this.mixHash(hash);
    this.#setKey(key);
  }

  seal(clear: Uint8Array): Uint8Array {
    const cipher = createCipheriv(CIPHER, this.#key, this.#nextNonce(), { authTagLength: TAG_BYTES });
    cipher.setAAD(this.#hash, { plaintextLength: clear.length });
    const body = cipher.update(clear);
    cipher.final();
    const sealed = joined(body, cipher.getAuthTag());
    this.mixHash(sealed);
    return sealed;
  }

  /** @throws WhorlError FRAME_FORGED */
  open(sealed: Uint8Array): Uint8Array {
    const end = sealed.length - TAG_BYTES;
    if (end < 0) throw new WhorlError('FRAME_FORGED', `a handshake message ends before its tag`);
    try {
      const decipher = createDecipheriv(CIPHER, this.#key, this.#nextNonce(), { authTagLength: TAG_BYTES });
      decipher.setAAD(this.#hash, { plaintextLength: end }).setAuthTag(sealed.subarray(end));
      const clear = decipher.update(sealed.subarray(0, end));
      decipher.final();
      this.mixHash(sealed);
      return new Uint8Array(clear);
    } catch (cause) {
      throw new WhorlError('FRAME_FORGED', 'a handshake message was not made with the same key', { cause });
    }
  }

  split(): NoiseKeys {
    const [forth = NOTHING, back = NOTHING] = hkdf(this.#chaining, NOTHING, 2);
    return { forth, back, hash: this.#hash };
  }

  #setKey(key: Uint8Array): void {
    this.#key = key;
    this.#nonce = 0;
  }

  #nextNonce(): Uint8Array {
    const nonce = nonceOf(this.#nonce);
    this.#nonce += 1;
    return nonce;
  }
}

/** Section 12.3: four zeros and the counter, little-endian. @param counter below 2^53 */
export function nonceOf(counter: number): Uint8Array {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(4, counter >>> 0, true);
  view.setUint32(8, Math.floor(counter / 0x1_0000_0000), true);
  return nonce;
}

/** @throws WhorlError FRAME_FORGED */
function ephemeralOf(message: Uint8Array): Uint8Array {
  if (message.length < HANDSHAKE_BYTES)
    throw new WhorlError('FRAME_FORGED', `a handshake message of ${message.length.toString()} bytes`);
  return message.slice(0, KEY_BYTES);
}

function privateKey(key: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(key), format: 'raw-private', asymmetricKeyType: 'x25519' });
}

function publicKey(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ format: 'raw-public' }));
}

/** X25519. @throws WhorlError FRAME_FORGED for a point of low order, which would make the secret known to all */
function agree(own: KeyObject, theirs: Uint8Array): Uint8Array {
  const key = createPublicKey({
    key: Buffer.from(theirs),
    format: 'raw-public',
    asymmetricKeyType: 'x25519',
  });
  try {
    return new Uint8Array(diffieHellman({ privateKey: own, publicKey: key }));
  } catch (cause) {
    throw new WhorlError('FRAME_FORGED', 'a handshake message holds a key that is none', { cause });
  }
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

function joined(...parts: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  return Buffer.concat(parts);
}
