import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { WhorlError } from '@whorl/protocol';
import { keyRow, Keys } from './keys.ts';
import type { KeyRow, KeyShelf } from './keys.ts';
import { Sqlite } from './sqlite.ts';
import { AccessTables } from './tables/access.ts';
import { AuditTable } from './tables/audit.ts';
import { conflict } from './tables/conflicts.ts';
import { SETUP } from './migrations.ts';
import { pairings } from './tables/pairings.ts';
import { readUser } from './tables/users.ts';
import { Vault } from './vault.ts';

/** What makes a backup of a raw copy. */
export interface SealedCopy {
  /** A copy of the whole database; it is emptied of keys. */
  readonly raw: string;
  /** Where the backup goes; an empty file that only its owner may read. */
  readonly to: string;
  /** Master keys, by number. */
  readonly masters: ReadonlyMap<number, Uint8Array>;
}

const LEAVE_OUT = `
  PRAGMA secure_delete = ON;
  DELETE FROM keys;
  DELETE FROM tokens;
  DELETE FROM partials;
  DELETE FROM jobs;
  UPDATE users SET name = '', groups = '[]';
`;

/**
 * Leaves data keys, tokens, work under way and what is in clear out of a copy, and reads back what comes of it.
 * @throws WhorlError BACKUP_BAD, STORE_*
 */
export async function seal({ raw, to, masters }: SealedCopy): Promise<void> {
  let keys: readonly KeyRow[] = [];
  const db = new Sqlite(raw, (copy) => {
    copy.exec(SETUP);
    keys = copy.prepare('SELECT * FROM keys').all().map(keyRow);
    copy.exec(LEAVE_OUT);
    // Only what is in use is copied: what was deleted stays behind.
    copy.prepare('VACUUM INTO ?').run(to);
  });
  db.close();
  await readBack(to, masters, keys);
  const file = openSync(to, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Opens a backup and unseals every record in it. @throws WhorlError BACKUP_BAD, VAULT_*, STORE_* */
async function readBack(
  path: string,
  masters: ReadonlyMap<number, Uint8Array>,
  rows: readonly KeyRow[],
): Promise<void> {
  const vaults = new Map([...masters].map(([number, key]) => [number, new Vault(key, randomBytes)]));
  const db = new Sqlite(path, (copy) => {
    copy.exec(SETUP);
  });
  try {
    soundness(db, path);
    const keys = new Keys(shelfOf(rows), vaults, randomBytes);
    for (const id of numbers(db, 'SELECT id FROM users')) readUser(db, keys, id);
    for (const id of numbers(db, 'SELECT id FROM conflicts')) conflict(db, keys, id);
    pairings(db, keys);
    const access = new AccessTables(db, keys);
    for (const { name } of await access.accounts()) await access.account(name);
    if ((await new AuditTable(db, keys).head()) === 'forged')
      throw new WhorlError('BACKUP_BAD', `${path}: the end of the audit trail cannot be unsealed`);
  } finally {
    db.close();
  }
}

/** Data keys in memory, to read by. */
export function shelfOf(rows: readonly KeyRow[]): KeyShelf {
  const byId = new Map(rows.map((row) => [Buffer.from(row.id).toString('hex'), row]));
  return {
    key: (id) => byId.get(Buffer.from(id).toString('hex')),
    add: (row) => {
      byId.set(Buffer.from(row.id).toString('hex'), row);
    },
  };
}

export function numbers(db: Pick<Sqlite, 'all'>, sql: string): number[] {
  return db.all(sql).map((row) => Number(Object.values(row)[0]));
}

/** @throws WhorlError BACKUP_BAD */
export function soundness(db: Pick<Sqlite, 'all'>, path: string): void {
  const found = db.all('PRAGMA integrity_check').map((row) => String(Object.values(row)[0]));
  if (found[0] !== 'ok' || statSync(path).size === 0)
    throw new WhorlError('BACKUP_BAD', `${path}: ${found[0] ?? 'it is empty'}`);
}
