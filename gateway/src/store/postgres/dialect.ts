/**
 * The tables' statements are written once, for SQLite; here is what PostgreSQL writes otherwise. Functions of SQLite
 * that PostgreSQL lacks are made in the schema, see schema.ts.
 */

/** Text in quotes, parameters, and the words that differ. */
const PIECES = /'(?:[^']|'')*'|"[^"]*"|\+?\?(\d*)|\buser\b|\bLIKE\b|\bBEGIN IMMEDIATE\b/g;

/** Writers of one schema take turns, as they do on SQLite: numbers that are given out are committed in their order. */
const BEGIN = "BEGIN; SELECT pg_advisory_xact_lock(hashtext(current_setting('search_path')))";

/** A statement as PostgreSQL takes it: parameters by number, `user` (a reserved word) in quotes, LIKE in any case. */
export function toPostgres(sql: string): string {
  let parameters = 0;
  return sql.replaceAll(PIECES, (piece, given: string | undefined) => {
    switch (piece) {
      case 'user':
        return '"user"';
      case 'LIKE':
        return 'ILIKE';
      case 'BEGIN IMMEDIATE':
        return BEGIN;
      default:
        break;
    }
    if (given === undefined) return piece;
    if (given !== '') return `$${given}`;
    parameters += 1;
    return `$${parameters}`;
  });
}
