import type { Sqlite } from '../sqlite.ts';
import type { Vault } from '../vault.ts';
import { number, text } from './rows.ts';

/** A master key that is or was in use. */
export interface MasterRow {
  readonly number: number;
  /** `Vault.check` of it, in Base64. */
  readonly fit: string;
  /** Milliseconds UTC; absent for the first. */
  readonly since?: number;
  /** When it was changed for another, milliseconds UTC. */
  readonly until?: number;
}

/** Of the key that a vault seals by. */
export function fitOf(vault: Vault): string {
  return Buffer.from(vault.check).toString('base64');
}

/** By number. */
export function masters(db: Pick<Sqlite, 'all'>): MasterRow[] {
  return db.all('SELECT * FROM masters ORDER BY number').map((row) => ({
    number: number(row, 'number'),
    fit: text(row, 'fit'),
    ...(row['since'] === null ? {} : { since: number(row, 'since') }),
    ...(row['until'] === null ? {} : { until: number(row, 'until') }),
  }));
}

/** Those in use: one, or two while one is being changed for the other. */
export function liveMasters(db: Pick<Sqlite, 'all'>): MasterRow[] {
  return masters(db).filter(({ until }) => until === undefined);
}

/** As it is in another database. */
export function putMaster(db: Sqlite, { number: of, fit, since, until }: MasterRow): void {
  const sql = `INSERT INTO masters (number, fit, since, until) VALUES (?, ?, ?, ?)
    ON CONFLICT (number) DO UPDATE SET fit = excluded.fit, since = excluded.since, until = excluded.until`;
  db.run(sql, of, fit, since ?? null, until ?? null);
}

/** From now on this one alone is in use. @param time milliseconds UTC */
export function takeMaster(
  db: Sqlite,
  { number: of, vault }: { readonly number: number; readonly vault: Vault },
  time: number,
): void {
  const sql = `INSERT INTO masters (number, fit, since) VALUES (?, ?, ?)
    ON CONFLICT (number) DO UPDATE SET fit = excluded.fit, until = NULL`;
  db.run(sql, of, fitOf(vault), time);
  endMasters(db, of, time);
}

/** All but this one are over. @param time milliseconds UTC */
export function endMasters(db: Sqlite, except: number, time: number): void {
  db.run('UPDATE masters SET until = ? WHERE number <> ? AND until IS NULL', time, except);
}

export function countKeys(db: Sqlite, where: 'of' | 'all' = 'all', master = 0): number {
  const sql = `SELECT count(*) AS count FROM keys${where === 'of' ? ' WHERE master = ?' : ''}`;
  return number(db.get(sql, ...(where === 'of' ? [master] : [])) ?? {}, 'count');
}
