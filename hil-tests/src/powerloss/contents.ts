import type { Connection, Statement } from '@whorl/gateway';

/** Of what lies beside the database; in memory nothing does. */
const LEFT_OUT = 'vault.unsettled';

/** SQL that reads everything in a database: a line a row, table by table. */
export function readingAll(db: Connection): string {
  const tables = db
    .prepare(
      `SELECT m.name AS name, group_concat('quote(' || t.name || ')', '||'',''||') AS columns
       FROM sqlite_schema m, pragma_table_info(m.name) t
       WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_stat%'
       GROUP BY m.name ORDER BY m.name`,
    )
    .all();
  const rows = tables.map(
    ({ name, columns }) =>
      `SELECT '${String(name)}:' || coalesce(group_concat(line, char(10)), '') AS text
       FROM (SELECT ${String(columns)} AS line FROM ${String(name)} ORDER BY 1)
       WHERE line NOT LIKE '''${LEFT_OUT}%'`,
  );
  return rows.join(' UNION ALL ');
}

/** @param statement of {@link readingAll} */
export function contentsOf(statement: Statement): string {
  return statement
    .all()
    .map(({ text }) => String(text))
    .join('\n');
}

/** @returns what SQLite finds wrong with it; nothing when it is sound */
export function faultsOf(db: Connection): string | undefined {
  const found = db.prepare('PRAGMA integrity_check').all();
  const text = found.map((row) => String(Object.values(row)[0])).join('; ');
  const loose = db.prepare('PRAGMA foreign_key_check').all();
  if (text !== 'ok') return text;
  return loose.length === 0 ? undefined : `${loose.length} rows without what they belong to`;
}

/** @returns the first line in which two contents differ, of each */
export function firstDifference(a: string, b: string): string {
  const [left, right] = [a.split('\n'), b.split('\n')];
  const at = left.findIndex((line, index) => line !== right[index]);
  const index = at === -1 ? left.length : at;
  return `${left[index]?.slice(0, 300) ?? 'nothing'}\n  instead of ${right[index]?.slice(0, 300) ?? 'nothing'}`;
}

/** Ids that were skipped are no loss. */
export function withoutSequences(contents: string): string {
  return (
    contents.slice(0, contents.indexOf('sqlite_sequence:')) + contents.slice(contents.indexOf('\nterminals:'))
  );
}
