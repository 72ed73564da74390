type Value = string | number;

/** Without the sign, SQLite plans a statement anew each time that its limit is bound: ten times the cost of a small one. */
export const LIMIT = 'LIMIT +?';

/** A WHERE clause of those conditions whose value is given. */
export function where(conditions: readonly (readonly [sql: string, value: Value | undefined])[]): {
  readonly sql: string;
  readonly values: readonly Value[];
} {
  const texts: string[] = [];
  const values: Value[] = [];
  for (const [sql, value] of conditions) {
    if (value === undefined) continue;
    texts.push(sql);
    values.push(value);
  }
  return { sql: texts.length === 0 ? '' : `WHERE ${texts.join(' AND ')}`, values };
}
