import { pooledRandom } from './random.ts';
import { join } from 'node:path';
import { WhorlError } from '@whorl/protocol';
import { GATEWAY, Keys, KeyTable, OWN_KEY } from './keys.ts';
import { Backups } from './backups.ts';
import { machine } from './ground.ts';
import type { Connection, Files, Ground } from './ground.ts';
import { masterKey } from './master-key.ts';
import { migrate } from './migrations.ts';
import { translatedFile } from './sqlite-errors.ts';
import { SqliteStore } from './sqlite-store.ts';
import { Sqlite } from './sqlite.ts';
import type { Store } from './store.ts';
import { CHECK_NOTE, KEY_BYTES, Vault } from './vault.ts';
import type { RandomBytes } from './vault.ts';

/** Where a gateway's memory lives. */
export interface StoreOptions {
  /** The data directory, made when it is not there; or `memory`, for simulation: nothing outlives the process. */
  readonly data: string | { readonly memory: true };
  /** What the data directory lies on; this machine unless it says. */
  readonly ground?: Ground;
}

export const DATABASE = 'whorl.db';
export const KEY_FILE = 'master.key';

/**
 * Opens (or makes) the database `whorl.db` and its master key `master.key` in the data directory, in this thread.
 * @param random makes keys and nonces
 * @throws WhorlError STORE_*, VAULT_*
 */
export function openStore(options: StoreOptions, random: RandomBytes = pooledRandom()): Store {
  const { data, ground = machine } = options;
  if (typeof data !== 'string') {
    const unlocked = unlockedBy(random(KEY_BYTES), random);
    const prepare = (raw: Connection): void => {
      migrate(raw);
      makeOwnKey(raw, unlocked.vault);
    };
    const db = new Sqlite(':memory:', prepare, ground);
    return storeOn({ db, unlocked, random, data: undefined, ground });
  }
  const path = join(data, DATABASE);
  makePrivate(ground.files, data, path);
  const opened: { by?: Unlocked } = {};
  const prepare = (raw: Connection): void => {
    migrate(raw);
    opened.by = translatedFile(() => unlock(raw, ground.files, join(data, KEY_FILE), random));
    makeOwnKey(raw, opened.by.vault);
  };
  const db = new Sqlite(path, prepare, ground);
  if (opened.by === undefined) throw new WhorlError('VAULT_KEY_MISSING', join(data, KEY_FILE));
  return storeOn({ db, unlocked: opened.by, random, data, ground });
}

/** A master key that fits. */
interface Unlocked {
  readonly master: Uint8Array;
  readonly vault: Vault;
}

function unlockedBy(master: Uint8Array, random: RandomBytes): Unlocked {
  return { master, vault: new Vault(master, random) };
}

interface StoreParts {
  readonly db: Sqlite;
  readonly unlocked: Unlocked;
  readonly random: RandomBytes;
  readonly data: string | undefined;
  readonly ground: Ground;
}

function storeOn({ db, unlocked, random, data, ground }: StoreParts): Store {
  const { master, vault } = unlocked;
  const keys = new Keys(new KeyTable(db), new Map([[1, vault]]), random);
  const masters = (): ReadonlyMap<number, Uint8Array> => new Map([[1, master]]);
  const backups = new Backups({ db, keys, data, random, masters, ground });
  backups.resume();
  return new SqliteStore(db, keys, backups);
}

function makeOwnKey(db: Connection, vault: Vault): void {
  if (db.prepare('SELECT 1 FROM keys WHERE id = ?').get(OWN_KEY) !== undefined) return;
  db.prepare('INSERT INTO keys (id, user, master, wrapped) VALUES (?, ?, 1, ?)').run(
    OWN_KEY,
    GATEWAY,
    vault.newKey(GATEWAY).wrapped,
  );
}

/** Names are in clear in the database: SQLite gives its other files the permissions of this one. */
function makePrivate(files: Files, directory: string, path: string): void {
  translatedFile(() => {
    files.mkdirSync(directory, { recursive: true, mode: 0o700 });
    files.closeSync(files.openSync(path, 'a', 0o600));
  });
}

/** @throws WhorlError VAULT_KEY_* */
function unlock(db: Connection, files: Files, keyFile: string, random: RandomBytes): Unlocked {
  const known = checkValue(db);
  const fresh = known === undefined && db.prepare('SELECT 1 FROM users LIMIT 1').get() === undefined;
  const unlocked = unlockedBy(masterKey(keyFile, fresh ? random : undefined, files), random);
  const { vault } = unlocked;
  if (fresh)
    db.prepare('INSERT INTO notes (key, value) VALUES (?, ?)').run(
      CHECK_NOTE,
      Buffer.from(vault.check).toString('base64'),
    );
  else if (known === undefined || !vault.fits(known)) throw new WhorlError('VAULT_KEY_WRONG', keyFile);
  return unlocked;
}

function checkValue(db: Connection): Uint8Array | undefined {
  const row = db.prepare('SELECT value FROM notes WHERE key = ?').get(CHECK_NOTE);
  return row === undefined ? undefined : Buffer.from(String(row['value']), 'base64');
}
