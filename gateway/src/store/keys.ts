import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { WhorlError } from '@whorl/protocol';
import type { Row, Sqlite } from './sqlite.ts';
import type { Vault } from './vault.ts';

const ID_BYTES = 16;
/** The gateway's own data key seals what is no user's: pairing keys, passwords, the end of the audit trail. */
export const OWN_KEY = new Uint8Array(ID_BYTES);
export const GATEWAY = 0;
/** Keeps this use of the key apart from others. */
const MARKS = 'whorl marks 1\n';

/** A data key as it is stored. */
export interface KeyRow {
  readonly id: Uint8Array;
  /** Whose records it seals; 0 for the gateway itself. */
  readonly user: number;
  /** Number of the master key that it is wrapped under. */
  readonly master: number;
  readonly wrapped: Uint8Array;
}

/** A data key in hand: unwrapped once, for all that it seals. */
export interface DataKey {
  readonly id: Uint8Array;
  readonly user: number;
  readonly secret: KeyObject;
}

/** Where data keys are kept. */
export interface KeyShelf {
  key(id: Uint8Array): KeyRow | undefined;
  add(row: KeyRow): void;
}

/**
 * What tables seal and unseal by: a data key is named by its id, and kept apart from what it seals. With the key gone,
 * every copy of what it sealed is gone, backups included.
 */
export class Keys {
  readonly #shelf: KeyShelf;
  readonly #random: (length: number) => Uint8Array;
  readonly #vaults: ReadonlyMap<number, Vault>;

  /** @param vaults by number of their master key, as they are at each moment; the highest wraps what is new */
  constructor(shelf: KeyShelf, vaults: ReadonlyMap<number, Vault>, random: (length: number) => Uint8Array) {
    this.#shelf = shelf;
    this.#vaults = vaults;
    this.#random = random;
  }

  get #newest(): number {
    return Math.max(...this.#vaults.keys());
  }

  /** Makes a data key and stores it. */
  newKey(user: number): DataKey {
    const id = user === GATEWAY ? OWN_KEY : this.#random(ID_BYTES);
    const master = this.#newest;
    const { secret, wrapped } = this.#vault(master).newKey(user);
    this.#shelf.add({ id, user, master, wrapped });
    return { id, user, secret };
  }

  /** @throws WhorlError VAULT_ERASED, VAULT_SEALED when the data key is not this user's */
  key(id: Uint8Array, user: number): DataKey {
    const row = this.#shelf.key(id);
    if (row === undefined)
      throw new WhorlError('VAULT_ERASED', `data key ${Buffer.from(id).toString('hex')} of user ${user}`);
    return { id, user, secret: createSecretKey(this.#vault(row.master).unwrap(row.wrapped, user)) };
  }

  /** @param version (or another place) binds the bytes to user and version, so that rows cannot be swapped */
  seal({ user, secret }: DataKey, version: number | string, record: Uint8Array): Uint8Array {
    return this.#vault(this.#newest).seal(secret, recordPlace(user, version), record);
  }

  /** @returns the record, alone in its buffer. @throws WhorlError VAULT_SEALED */
  open({ user, secret }: DataKey, version: number | string, sealed: Uint8Array): Uint8Array {
    return this.#vault(this.#newest).open(secret, recordPlace(user, version), sealed);
  }

  /** Seals what is no user's. @param place binds the bytes to where they stand */
  sealSecret(place: string, clear: Uint8Array): Uint8Array {
    return this.#vault(this.#newest).seal(this.key(OWN_KEY, GATEWAY).secret, place, clear);
  }

  /** @throws WhorlError VAULT_SEALED */
  openSecret(place: string, sealed: Uint8Array): Uint8Array {
    return this.#vault(this.#newest).open(this.key(OWN_KEY, GATEWAY).secret, place, sealed);
  }

  /** Hashes that nobody can make, or compare values with, who has not the master key. @throws WhorlError VAULT_SEALED */
  marks(values: readonly Uint8Array[]): Uint8Array[] {
    if (values.length === 0) return [];
    const { secret } = this.key(OWN_KEY, GATEWAY);
    return values.map((value) => createHmac('sha256', secret).update(MARKS).update(value).digest());
  }

  /** The same key under another master key. @throws WhorlError VAULT_SEALED */
  rewrapped(row: KeyRow, master: number): KeyRow {
    if (row.master === master) return row;
    const key = this.#vault(row.master).unwrap(row.wrapped, row.user);
    return { ...row, master, wrapped: this.#vault(master).wrap(key, row.user) };
  }

  #vault(master: number): Vault {
    const vault = this.#vaults.get(master);
    if (vault === undefined) throw new WhorlError('VAULT_KEY_MISSING', `master key number ${master}`);
    return vault;
  }
}

/** Data keys in the database. */
export class KeyTable implements KeyShelf {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  key(id: Uint8Array): KeyRow | undefined {
    const row = this.#db.get('SELECT * FROM keys WHERE id = ?', id);
    return row === undefined ? undefined : keyRow(row);
  }

  add({ id, user, master, wrapped }: KeyRow): void {
    this.#db.put(
      'INSERT INTO keys (id, user, master, wrapped) VALUES (?, ?, ?, ?)',
      id,
      user,
      master,
      wrapped,
    );
  }
}

export function keyRow(row: Row): KeyRow {
  const [id, wrapped] = [row['id'], row['wrapped']];
  if (!(id instanceof Uint8Array) || !(wrapped instanceof Uint8Array))
    throw new WhorlError('STORE_CORRUPT', 'a data key is no bytes');
  return { id, user: Number(row['user']), master: Number(row['master']), wrapped };
}

function recordPlace(user: number, version: number | string): string {
  return `user ${user} ${version}`;
}
