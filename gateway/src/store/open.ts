import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { WhorlError } from '@whorl/protocol';
import { readMasterKey } from './master-key.ts';
import { migrate } from './migrations.ts';
import { SqliteStore } from './sqlite-store.ts';
import { Sqlite } from './sqlite.ts';
import type { Store } from './store.ts';
import { Vault } from './vault.ts';

/** Where a gateway's memory lives. */
export interface StoreOptions {
  /** The data directory, made when it is not there; or `memory`, for simulation: nothing outlives the process. */
  readonly data: string | { readonly memory: true };
}

const VAULT_NOTE = 'vault.check';

/**
 * Opens (or makes) the database `whorl.db` and its master key `master.key` in the data directory, in this thread.
 * @throws WhorlError STORE_*, VAULT_*
 */
export function openStore(options: StoreOptions): Store {
  if (typeof options.data !== 'string') {
    const vault = new Vault(randomBytes(32));
    return new SqliteStore(new Sqlite(':memory:', migrate), vault);
  }
  const directory = options.data;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const opened: { vault?: Vault } = {};
  const db = new Sqlite(join(directory, 'whorl.db'), (raw) => {
    const fresh = migrate(raw) || check(raw) === undefined;
    opened.vault = unlock(raw, join(directory, 'master.key'), fresh);
  });
  if (opened.vault === undefined) throw new WhorlError('VAULT_KEY_MISSING', directory);
  return new SqliteStore(db, opened.vault);
}

function unlock(db: DatabaseSync, keyFile: string, fresh: boolean): Vault {
  const vault = new Vault(readMasterKey(keyFile, fresh));
  const known = check(db);
  if (known === undefined)
    db.prepare('INSERT INTO notes VALUES (?, ?)').run(
      VAULT_NOTE,
      Buffer.from(vault.check).toString('base64'),
    );
  else if (!vault.fits(Buffer.from(known, 'base64'))) throw new WhorlError('VAULT_KEY_WRONG', keyFile);
  return vault;
}

function check(db: DatabaseSync): string | undefined {
  const row = db.prepare('SELECT value FROM notes WHERE key = ?').get(VAULT_NOTE);
  return row === undefined ? undefined : String(row['value']);
}
