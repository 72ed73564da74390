import type { Sqlite } from '../sqlite.ts';
import type { Vault } from '../vault.ts';
import { bytes, text } from './rows.ts';

/** @throws WhorlError VAULT_SEALED */
export function pairings(db: Sqlite, vault: Vault): ReadonlyMap<string, Uint8Array> {
  return new Map(
    db.all('SELECT serial, sealed FROM pairings').map((row) => {
      const serial = text(row, 'serial');
      return [serial, vault.openSecret(place(serial), bytes(row, 'sealed'))];
    }),
  );
}

/** @param key `undefined` forgets it */
export function putPairing(db: Sqlite, vault: Vault, serial: string, key: Uint8Array | undefined): void {
  if (key === undefined) db.run('DELETE FROM pairings WHERE serial = ?', serial);
  else
    db.run(
      'INSERT INTO pairings VALUES (?, ?) ON CONFLICT (serial) DO UPDATE SET sealed = excluded.sealed',
      serial,
      vault.sealSecret(place(serial), key),
    );
}

function place(serial: string): string {
  return `pairing ${serial}`;
}
