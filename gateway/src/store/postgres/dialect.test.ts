import { expect, test } from 'vitest';
import { toPostgres } from './dialect.ts';

test('S12 parameters are numbered, also those that were numbered and those with a sign', () => {
  expect(toPostgres('SELECT a FROM t WHERE b = ? AND c = ? LIMIT +?')).toBe(
    'SELECT a FROM t WHERE b = $1 AND c = $2 LIMIT $3',
  );
  expect(toPostgres('UPDATE t SET a = ?1 WHERE b <= ?1 AND c = ?2')).toBe(
    'UPDATE t SET a = $1 WHERE b <= $1 AND c = $2',
  );
});

test('S12 a column named user is no session user', () => {
  expect(toPostgres('SELECT user, new_user FROM conflicts JOIN users ON ledger.user = id')).toBe(
    'SELECT "user", new_user FROM conflicts JOIN users ON ledger."user" = id',
  );
});

test('S12 what stands in quotes stays as it is', () => {
  expect(toPostgres(`SELECT 'is user ? or ''LIKE''', "user" FROM t WHERE name LIKE ? ESCAPE '\\'`)).toBe(
    `SELECT 'is user ? or ''LIKE''', "user" FROM t WHERE name ILIKE $1 ESCAPE '\\'`,
  );
});

test('S12 writers take turns', () => {
  expect(toPostgres('BEGIN IMMEDIATE')).toContain('pg_advisory_xact_lock');
});
