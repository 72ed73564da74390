import { join } from 'node:path';
import { describe, WhorlError } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { z } from 'zod';
import { writeDurably } from '../store/durable.ts';
import { machine } from '../store/ground.ts';
import type { Files } from '../store/ground.ts';
import { decoded, encoded } from './login-words.ts';

const HARDWARE_BYTES = 16;

/** Which machine this is to its master. */
export interface Identity {
  /** Made once, hexadecimal. */
  readonly hardware: string;
  /** Of the next login. */
  readonly token?: Uint8Array | undefined;
}

/** Where an identity is kept: beside the database, so that one restored from a backup is still this machine. */
export interface IdentityPlace {
  /** @throws WhorlError SITES_IDENTITY */
  load(): Identity;
  /** @returns when it outlives a power loss. @throws WhorlError SITES_IDENTITY */
  save(identity: Identity): void;
}

const schema = z.strictObject({ hardware: z.string().regex(/^[0-9a-f]{32}$/), token: z.base64().optional() });

/** `site.identity` in the data directory, readable by its owner only. */
export class IdentityFile implements IdentityPlace {
  readonly #path: string;
  readonly #random: Random;
  readonly #files: Files;

  constructor(data: string, random: Random, files: Files = machine.files) {
    this.#path = join(data, 'site.identity');
    this.#random = random;
    this.#files = files;
  }

  load(): Identity {
    try {
      if (this.#files.existsSync(this.#path)) return this.#read();
    } catch (cause) {
      throw new WhorlError('SITES_IDENTITY', `${this.#path} cannot be read: ${describe(cause)}`, { cause });
    }
    const identity = newIdentity(this.#random);
    this.save(identity);
    return identity;
  }

  save({ hardware, token }: Identity): void {
    const text = JSON.stringify({ hardware, ...(token === undefined ? {} : { token: encoded(token) }) });
    try {
      writeDurably(this.#files, this.#path, `${text}\n`);
    } catch (cause) {
      throw new WhorlError('SITES_IDENTITY', `${this.#path} cannot be written: ${describe(cause)}`, {
        cause,
      });
    }
  }

  #read(): Identity {
    const { hardware, token } = schema.parse(JSON.parse(this.#files.readFileSync(this.#path, 'utf8')));
    return { hardware, token: token === undefined ? undefined : decoded(token) };
  }
}

export function newIdentity(random: Random): Identity {
  return { hardware: Buffer.from(random.bytes(HARDWARE_BYTES)).toString('hex') };
}
