import type { Sqlite } from '../sqlite.ts';
import type { Pairing } from '../pairing.ts';
import type { Keys } from '../keys.ts';
import { bytes, text } from './rows.ts';

/** @throws WhorlError VAULT_SEALED */
export function pairings(db: Sqlite, keys: Keys): ReadonlyMap<string, Pairing> {
  return new Map(
    db.all('SELECT serial, terminal, sealed FROM pairings').map((row) => {
      const [serial, terminal] = [text(row, 'serial'), text(row, 'terminal')];
      return [serial, { terminal, key: keys.openSecret(place(serial, terminal), bytes(row, 'sealed')) }];
    }),
  );
}

/** @param pairing `undefined` forgets it */
export function putPairing(db: Sqlite, keys: Keys, serial: string, pairing: Pairing | undefined): void {
  db.run('DELETE FROM pairings WHERE serial = ?', serial);
  if (pairing === undefined) return;
  const { terminal, key } = pairing;
  db.run(
    'INSERT INTO pairings (serial, terminal, sealed) VALUES (?, ?, ?)',
    serial,
    terminal,
    keys.sealSecret(place(serial, terminal), key),
  );
}

/** The name is bound to the key: who can write the file cannot have a terminal accepted elsewhere. */
function place(serial: string, terminal: string): string {
  return `pairing ${serial} ${terminal}`;
}
