import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { WhorlError } from '@whorl/protocol';
import { readMasterKey } from './master-key.ts';
import { migrate } from './migrations.ts';
import { translatedFile } from './sqlite-errors.ts';
import { SqliteStore } from './sqlite-store.ts';
import { Sqlite } from './sqlite.ts';
import type { Store } from './store.ts';
import { KEY_BYTES, Vault } from './vault.ts';
import type { RandomBytes } from './vault.ts';

/** Where a gateway's memory lives. */
export interface StoreOptions {
  /** The data directory, made when it is not there; or `memory`, for simulation: nothing outlives the process. */
  readonly data: string | { readonly memory: true };
}

const VAULT_NOTE = 'vault.check';

/**
 * Opens (or makes) the database `whorl.db` and its master key `master.key` in the data directory, in this thread.
 * @param random makes keys and nonces
 * @throws WhorlError STORE_*, VAULT_*
 */
export function openStore(options: StoreOptions, random: RandomBytes = randomBytes): Store {
  if (typeof options.data !== 'string') {
    const vault = new Vault(random(KEY_BYTES), random);
    return new SqliteStore(new Sqlite(':memory:', migrate), vault);
  }
  const path = join(options.data, 'whorl.db');
  const keyFile = join(options.data, 'master.key');
  makePrivate(options.data, path);
  const opened: { vault?: Vault } = {};
  const db = new Sqlite(path, (raw) => {
    migrate(raw);
    opened.vault = translatedFile(() => unlock(raw, keyFile, random));
  });
  if (opened.vault === undefined) throw new WhorlError('VAULT_KEY_MISSING', keyFile);
  return new SqliteStore(db, opened.vault);
}

/** Names are in clear in the database: SQLite gives its other files the permissions of this one. */
function makePrivate(directory: string, path: string): void {
  translatedFile(() => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
  });
}

function unlock(db: DatabaseSync, keyFile: string, random: RandomBytes): Vault {
  const known = checkValue(db);
  const fresh = known === undefined && db.prepare('SELECT 1 FROM users LIMIT 1').get() === undefined;
  const vault = new Vault(readMasterKey(keyFile, fresh ? random : undefined), random);
  if (fresh)
    db.prepare('INSERT INTO notes (key, value) VALUES (?, ?)').run(
      VAULT_NOTE,
      Buffer.from(vault.check).toString('base64'),
    );
  else if (known === undefined || !vault.fits(known)) throw new WhorlError('VAULT_KEY_WRONG', keyFile);
  return vault;
}

function checkValue(db: DatabaseSync): Uint8Array | undefined {
  const row = db.prepare('SELECT value FROM notes WHERE key = ?').get(VAULT_NOTE);
  return row === undefined ? undefined : Buffer.from(String(row['value']), 'base64');
}
