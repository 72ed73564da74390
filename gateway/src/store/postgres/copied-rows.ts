import { createHash } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import { pagesOf } from '../copy.ts';
import type { Table } from '../copy.ts';
import type { Connection } from '../ground.ts';

type Row = ReturnType<ReturnType<Connection['prepare']>['all']>[number];

const DIGEST_BYTES = 32;

export interface TableSum {
  readonly rows: number;
  /** Of all rows, in whatever order they come: hexadecimal. */
  readonly digest: string;
}

/** What a table holds, the same in either database. Columns hold whole numbers: parts of a millisecond are cut off. */
export function sumOf(db: Connection, table: Table): TableSum {
  const digest = new Uint8Array(DIGEST_BYTES);
  let rows = 0;
  for (const page of pagesOf(db, table)) {
    rows += page.length;
    for (const row of page) {
      const one = createHash('sha256').update(canonical(row, table)).digest();
      for (const [index, byte] of one.entries()) digest[index] = (digest[index] ?? 0) ^ byte;
    }
  }
  return { rows, digest: Buffer.from(digest).toString('hex') };
}

function canonical(row: Row, { columns }: Table): string {
  return JSON.stringify(
    columns.map((column) => {
      const value = row[column] ?? null;
      if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
      return typeof value === 'string' || value === null ? value : Math.trunc(Number(value));
    }),
  );
}

/** Puts rows where they belong; one that is there is replaced. @returns how many */
export function putRows(to: Connection, table: Table, rows: readonly Row[]): number {
  for (let from = 0; from < rows.length; from += ROWS_A_STATEMENT) {
    const some = rows.slice(from, from + ROWS_A_STATEMENT);
    to.prepare(putting(table, some.length)).run(...some.flatMap((row) => valuesOf(row, table.columns)));
  }
  return rows.length;
}

const ROWS_A_STATEMENT = 100;

function putting({ name, columns, key }: Table, rows: number): string {
  const one = `(${columns.map(() => '?').join(', ')})`;
  const others = columns.filter((column) => !key.includes(column));
  const does =
    others.length === 0
      ? 'NOTHING'
      : `UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join(', ')}`;
  const values = Array.from({ length: rows }, () => one).join(', ');
  return `INSERT INTO ${name} (${columns.join(', ')}) VALUES ${values} ON CONFLICT (${key.join(', ')}) DO ${does}`;
}

function valuesOf(row: Row, columns: readonly string[]): SQLInputValue[] {
  return columns.map((column) => row[column] ?? null);
}

/**
 * Brings `to`, which holds what `before` held, to what `now` holds: rows that went, then those that came or changed.
 * @param before path of an SQLite file
 * @returns how many rows differed
 */
export function putDifference(
  to: Connection,
  { now, before, tables }: { now: Connection; before: string; tables: readonly Table[] },
): number {
  now.prepare('ATTACH ? AS former').run(before);
  try {
    let rows = 0;
    for (const { name, key } of [...tables].reverse()) {
      const keys = key.join(', ');
      const gone = now
        .prepare(`SELECT ${keys} FROM former.${name} EXCEPT SELECT ${keys} FROM main.${name}`)
        .all();
      const remove = to.prepare(`DELETE FROM ${name} WHERE ${key.map((one) => `${one} = ?`).join(' AND ')}`);
      for (const row of gone) remove.run(...valuesOf(row, key));
      rows += gone.length;
    }
    for (const table of tables)
      rows += putRows(
        to,
        table,
        now.prepare(`SELECT * FROM main.${table.name} EXCEPT SELECT * FROM former.${table.name}`).all(),
      );
    return rows;
  } finally {
    now.exec('DETACH former');
  }
}
