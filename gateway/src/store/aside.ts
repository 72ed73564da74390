import { join } from 'node:path';
import type { Ground } from './ground.ts';
import { keyRow, Keys, KeyTable } from './keys.ts';
import type { FoundKey } from './master-key.ts';
import { migrate } from './migrations.ts';
import { Sqlite } from './sqlite.ts';
import { eraseUser } from './tables/erased.ts';
import { putMaster, endMasters, fitOf, liveMasters, masters } from './tables/masters.ts';
import { Vault } from './vault.ts';
import type { RandomBytes } from './vault.ts';

// Databases that a restore put aside: who is erased is erased there, too, and they follow the master key.

/** @returns paths of those where it could not be done */
export function eraseAside(ground: Ground, data: string, user: number): string[] {
  return failing(ground, data, (db) => {
    eraseUser(db, user, [], 0);
  });
}

/**
 * Brings their data keys under the present master key.
 * @param known keys that they may be under
 * @returns paths of those where it could not be done
 */
export function resealAside(
  ground: Ground,
  data: string,
  { vault: present }: { readonly vault: Vault },
  known: readonly FoundKey[],
  random: RandomBytes,
): string[] {
  return failing(ground, data, (db) => {
    const rows = masters(db);
    const live = liveMasters(db);
    if (live.length === 1 && live[0]?.fit === fitOf(present)) return;
    const vaults = new Map<number, Vault>();
    for (const vault of [...known.map(({ key }) => new Vault(key, random)), present]) {
      const row = live.find(({ fit }) => fit === fitOf(vault));
      if (row !== undefined) vaults.set(row.number, vault);
    }
    const number = live.find(({ fit }) => fit === fitOf(present))?.number ?? (rows.at(-1)?.number ?? 0) + 1;
    vaults.set(number, present);
    const keys = new Keys(new KeyTable(db), vaults, random);
    db.atOnce(() => {
      for (const row of db.all('SELECT * FROM keys WHERE master <> ?', number).map(keyRow))
        putKey(db, keys.rewrapped(row, number));
      putMaster(db, { number, fit: fitOf(present) });
      endMasters(db, number, 0);
    });
    db.forgetLog();
  });
}

/** One that was destroyed meanwhile does not come back. */
export function putKey(db: Sqlite, row: ReturnType<typeof keyRow>): void {
  db.run('UPDATE keys SET master = ?, wrapped = ? WHERE id = ?', row.master, row.wrapped, row.id);
}

function failing(ground: Ground, data: string, work: (db: Sqlite) => void): string[] {
  const files = ground.files.readdirSync(data).filter((name) => /^whorl\.db\.replaced-[0-9TZ-]+$/.test(name));
  return files
    .map((name) => join(data, name))
    .filter((path) => {
      try {
        const db = new Sqlite(path, (raw) => migrate(raw), ground);
        try {
          work(db);
        } finally {
          db.close();
        }
        return false;
      } catch {
        return true;
      }
    });
}
