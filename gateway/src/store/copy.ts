import type { SQLInputValue } from 'node:sqlite';
import type { Connection } from './ground.ts';
import { number, text } from './tables/rows.ts';

const ROWS_AT_ONCE = 500;
/** Filled by what counts the ledger, at the other end too. */
const COUNTED = 'ledger_counts';

/** A database, and how it remembers which numbers it gave out. */
export interface Side {
  readonly db: Connection;
  /** @param highest number that a table gave out, also when its row has gone */
  give(table: Table, highest: number): void;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  /** Gives out numbers. */
  readonly counts: boolean;
}

export const sqliteSide = (db: Connection): Side => ({
  db,
  give: ({ name: table }, highest) => {
    if (db.prepare('UPDATE sqlite_sequence SET seq = ? WHERE name = ?').run(highest, table).changes === 0)
      db.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, highest);
  },
});

/**
 * Copies all rows into a database of the same schema that has none, in one transaction of the caller's on each side.
 * @param shape the one of the two that is SQLite: tables are looked up there
 * @param progress rows copied so far
 */
export function copyRows(from: Side, to: Side, shape: Connection, progress?: (rows: number) => void): void {
  let rows = 0;
  for (const table of tablesOf(shape)) {
    const insert = to.db.prepare(
      `INSERT INTO ${table.name} (${table.columns.join(', ')}) VALUES (${table.columns.map(() => '?').join(', ')})`,
    );
    for (const page of pagesOf(from.db, table)) {
      for (const row of page) insert.run(...table.columns.map((column) => row[column] ?? null));
      rows += page.length;
      progress?.(rows);
    }
    if (table.counts) to.give(table, given(from.db, table.name));
  }
}

function given(db: Connection, table: string): number {
  return Number(db.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(table)?.['seq'] ?? 0);
}

/** In the order in which they were made: what is referred to comes first. */
export function tablesOf(shape: Connection): Table[] {
  return shape
    .prepare(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> ?",
    )
    .all(COUNTED)
    .map((row) => {
      const name = text(row, 'name');
      const info = shape.prepare(`SELECT name, pk FROM pragma_table_info(?) ORDER BY cid`).all(name);
      const keyed = info.filter((column) => number(column, 'pk') > 0);
      return {
        name,
        columns: info.map((column) => text(column, 'name')),
        key: keyed.sort((a, b) => number(a, 'pk') - number(b, 'pk')).map((column) => text(column, 'name')),
        counts: text(row, 'sql').includes('AUTOINCREMENT'),
      };
    });
}

/** All rows of a table by ascending key, some at a time. @param after only those behind this key */
export function* pagesOf(
  db: Connection,
  { name, key }: Table,
  after?: readonly SQLInputValue[],
): Iterable<ReturnType<ReturnType<Connection['prepare']>['all']>> {
  const order = `ORDER BY ${key.join(', ')} LIMIT ${ROWS_AT_ONCE}`;
  const onward = `(${key.join(', ')}) > (${key.map(() => '?').join(', ')})`;
  let page =
    after === undefined
      ? db.prepare(`SELECT * FROM ${name} ${order}`).all()
      : db.prepare(`SELECT * FROM ${name} WHERE ${onward} ${order}`).all(...after);
  while (page.length > 0) {
    yield page;
    const last = page.at(-1) ?? {};
    const next: SQLInputValue[] = key.map((column) => last[column] ?? null);
    page =
      page.length < ROWS_AT_ONCE
        ? []
        : db.prepare(`SELECT * FROM ${name} WHERE ${onward} ${order}`).all(...next);
  }
}
