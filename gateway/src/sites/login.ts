import {
  Cpace,
  KEY_BYTES,
  keyId,
  NoiseInitiator,
  PAIRING_ID_BYTES,
  pairingKey,
  WhorlError,
} from '@whorl/protocol';
import type { NoiseKeys, Random } from '@whorl/protocol';
import { Channel } from './channel.ts';
import {
  decoded,
  encoded,
  readAs,
  readLogin,
  SITES_PROTOCOL,
  verdictSchema,
  writeLogin,
} from './login-words.ts';
import type { LoginStep, Machine } from './login-words.ts';
import { loginCode, wordsOf } from './secrets.ts';
import type { SiteName } from './secrets.ts';

export interface LoginParts {
  readonly name: SiteName;
  /** This release. */
  readonly version: string;
  /** Which exchange it speaks. */
  readonly protocol: number;
  readonly machine: Machine;
  /** Of the last session; without one it is a first login, by password. */
  readonly token?: Uint8Array | undefined;
  /** argon2id of the password. */
  readonly verifier: Uint8Array;
  readonly random: Random;
}

/** What both ends of a login agree on beforehand: whose it is, and which try. */
export function loginPrologue(name: SiteName, id: Uint8Array): Uint8Array {
  return Buffer.from(`Whorl sites ${SITES_PROTOCOL}\n${wordsOf(name)}\n${encoded(id)}`);
}

/** Names the two ends of a first login to CPace. */
export function loginChannel(name: SiteName): Uint8Array {
  return Buffer.from(`Whorl sites ${SITES_PROTOCOL}\n${wordsOf(name)}`);
}

/** Names a token without telling anything of it. */
export function tokenName(token: Uint8Array): string {
  return Buffer.from(keyId(token)).toString('hex');
}

/**
 * The satellite's end of a login. With a token: Noise under it, one message each way. Without: CPace with what the
 * password makes, then the same Noise under the key that both agreed on. A password, or what a dictionary could be
 * tried on, never travels.
 */
export class Login {
  readonly #parts: LoginParts;
  readonly #id: Uint8Array;
  #noise: NoiseInitiator | undefined;
  #cpace: Cpace | undefined;

  constructor(parts: LoginParts) {
    this.#parts = parts;
    this.#id = parts.random.bytes(PAIRING_ID_BYTES);
  }

  begin(): Uint8Array {
    const { version, protocol, token, name, verifier, random } = this.#parts;
    const id = encoded(this.#id);
    const hello = { step: 'hello', protocol, version, user: name.user, id } as const;
    if (token !== undefined)
      return writeLogin({ ...hello, token: tokenName(token), noise: this.#first(token) });
    this.#cpace = new Cpace({
      code: loginCode(verifier),
      channel: loginChannel(name),
      id: this.#id,
      secret: random.bytes(KEY_BYTES),
    });
    return writeLogin({ ...hello, share: encoded(this.#cpace.share) });
  }

  /**
   * Takes what the master says.
   * @returns what is to be said next, or the session; `undefined` for what belongs to another try
   * @throws WhorlError SITES_* when it was refused; SITES_PASSWORD when the master has not the same password
   */
  take(bytes: Uint8Array): Uint8Array | Channel | undefined {
    const step = readLogin(bytes);
    if (step.id !== encoded(this.#id)) return undefined;
    switch (step.step) {
      case 'refused':
        throw new WhorlError(step.code, step.text);
      case 'share':
        return this.#prove(step);
      case 'done':
        return this.#finish(step);
      case 'hello':
      case 'proof':
        return undefined;
    }
  }

  #prove({ share }: Extract<LoginStep, { step: 'share' }>): Uint8Array | undefined {
    if (this.#cpace === undefined) return undefined;
    const key = pairingKey(this.#cpace.key({ share: decoded(share) }, { begins: true }));
    this.#cpace = undefined;
    return writeLogin({ step: 'proof', id: encoded(this.#id), noise: this.#first(key) });
  }

  #first(psk: Uint8Array): string {
    const { name, random, machine } = this.#parts;
    const prologue = loginPrologue(name, this.#id);
    this.#noise = new NoiseInitiator({ psk, prologue, ephemeral: random.bytes(KEY_BYTES) });
    return encoded(this.#noise.begin(Buffer.from(JSON.stringify(machine))));
  }

  #finish({ noise }: Extract<LoginStep, { step: 'done' }>): Channel | undefined {
    if (this.#noise === undefined) return undefined;
    const { payload, keys } = this.#opened(this.#noise, decoded(noise));
    const { refused } = readAs(verdictSchema, payload, 'the verdict of a login');
    if (refused !== undefined) throw new WhorlError(refused.code, refused.text);
    return new Channel(keys, true);
  }

  #opened(noise: NoiseInitiator, message: Uint8Array): { payload: Uint8Array; keys: NoiseKeys } {
    try {
      return noise.finish(message);
    } catch (cause) {
      throw new WhorlError('SITES_PASSWORD', 'whoever answers as the master has another password', { cause });
    }
  }
}
