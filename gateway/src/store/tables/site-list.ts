import { z } from 'zod';
import type { Keys } from '../keys.ts';
import type { SiteRow } from '../sites.ts';
import type { Row, Sqlite } from '../sqlite.ts';
import { bytes, number, text } from './rows.ts';

// The master's list of its satellites. Verifiers and tokens are sealed, and so is all else of a row.

const octets = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const base64 = z.codec(z.base64(), octets, {
  decode: (encoded) => new Uint8Array(Buffer.from(encoded, 'base64')),
  encode: (clear) => Buffer.from(clear).toString('base64'),
});

const siteSchema = z.strictObject({
  url: z.string(),
  user: z.string(),
  verifier: base64,
  groups: z.array(z.int()).readonly().exactOptional(),
  binding: z
    .strictObject({
      hardware: z.string(),
      host: z.string(),
      since: z.int(),
      token: base64.exactOptional(),
      next: base64.exactOptional(),
      spent: z.array(z.string()).readonly(),
    })
    .readonly()
    .exactOptional(),
});

/** @throws WhorlError VAULT_SEALED */
export function listSites(db: Sqlite, keys: Keys): readonly SiteRow[] {
  return db.all('SELECT * FROM sites ORDER BY sync_id').map((row) => opened(keys, row));
}

/** @throws WhorlError VAULT_SEALED */
export function readSite(db: Sqlite, keys: Keys, syncId: number): SiteRow | undefined {
  const row = db.get('SELECT * FROM sites WHERE sync_id = ?', syncId);
  return row && opened(keys, row);
}

function opened(keys: Keys, row: Row): SiteRow {
  const [syncId, name] = [number(row, 'sync_id'), text(row, 'name')];
  const clear = keys.openSecret(place(syncId, name), bytes(row, 'sealed'));
  return { syncId, name, ...siteSchema.decode(JSON.parse(Buffer.from(clear).toString()) as never) };
}

export function putSite(db: Sqlite, keys: Keys, { syncId, name, ...site }: SiteRow): void {
  const clear = Buffer.from(JSON.stringify(siteSchema.encode(site)));
  db.run(
    `INSERT INTO sites (sync_id, name, sealed) VALUES (?, ?, ?)
     ON CONFLICT (sync_id) DO UPDATE SET name = excluded.name, sealed = excluded.sealed`,
    syncId,
    name,
    keys.sealSecret(place(syncId, name), clear),
  );
}

/** Forgets how far a site is, and what it holds; its events stay. */
export function forgetSite(db: Sqlite, syncId: number): void {
  db.run('DELETE FROM site_cursors WHERE peer = ?', syncId);
  db.run('DELETE FROM site_held WHERE site = ?', syncId);
  db.run('DELETE FROM site_aside WHERE peer = ?', syncId);
  db.run('DELETE FROM site_holdings WHERE site = ?', syncId);
}

function place(syncId: number, name: string): string {
  return `site ${syncId} ${name}`;
}
