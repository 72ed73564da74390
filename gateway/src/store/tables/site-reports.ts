import type { HoldingChange, HoldingRow, ReportFilter, ReportRow } from '../sites.ts';
import type { Row, Sqlite } from '../sqlite.ts';
import { wasErased } from './erased.ts';
import { number, text } from './rows.ts';
import { LIMIT, where } from './where.ts';

// What a master reports of all sites, a page at a time; and who is held where, as it travels.

/** Events of this gateway, by id. */
export function ownReport(db: Sqlite, filter: ReportFilter): readonly ReportRow[] {
  const { type, origin, from, until, after, limit } = filter;
  const { sql, values } = where([
    ['type = ?', type],
    ['origin = ?', origin],
    ['events.id > ?', after?.id],
    ['time >= ?', from],
    ['time < ?', until],
  ]);
  return db
    .all(
      `SELECT events.id AS id, time, terminal, user, data, name FROM events LEFT JOIN users ON users.id = events.user
       ${sql} ORDER BY events.id ${LIMIT}`,
      ...values,
      limit,
    )
    .map((row) => reportRow(row));
}

/** What the site was called whose event a row is; looked up a row at a time, so that rows are read in their order. */
export const TELLER =
  '(SELECT name FROM site_tellers told WHERE told.site = site_events.site AND told.run = site_events.run)';

/** Events of the satellites, by time. */
export function siteReport(db: Sqlite, filter: ReportFilter): readonly ReportRow[] {
  const { type, origin, site, from, until, after, limit } = filter;
  const { sql, values } = where([
    ['type = ?', type],
    ['origin = ?', origin],
    [`${TELLER} = ?`, site],
    ['time >= ?', after?.time ?? from],
    ['time < ?', until],
  ]);
  const behind = after === undefined ? '' : 'AND (time, site, site_events.id, run) > (?, ?, ?, ?)';
  const place = after === undefined ? [] : [after.time, after.site ?? 0, after.id, after.run ?? ''];
  return db
    .all(
      `SELECT site, run, site_events.id AS id, time, terminal, user, data, name, ${TELLER} AS teller FROM site_events
       LEFT JOIN users ON users.id = site_events.user ${sql} ${behind}
       ORDER BY time, site, site_events.id, run ${LIMIT}`,
      ...values,
      ...place,
      limit,
    )
    .map((row) => ({
      ...{ ...reportRow(row), site: number(row, 'site'), run: text(row, 'run') },
      ...(row['teller'] === null ? {} : { teller: text(row, 'teller') }),
    }));
}

function reportRow(row: Row): ReportRow {
  return {
    ...{ id: number(row, 'id'), time: number(row, 'time') },
    ...(row['terminal'] === null ? {} : { terminal: text(row, 'terminal') }),
    ...(row['user'] === null ? {} : { user: number(row, 'user') }),
    ...(row['name'] === null ? {} : { name: text(row, 'name') }),
    data: JSON.parse(text(row, 'data')) as Record<string, unknown>,
  };
}

/** Who is held by terminals of this gateway, by user. */
export function ownHoldings(db: Sqlite, after: HoldingRow | undefined, limit: number): readonly HoldingRow[] {
  return db
    .all(
      `SELECT user, terminal, coalesce(checked, 0) AS checked, name FROM ledger LEFT JOIN users ON users.id = user
       WHERE delivered IS NOT NULL AND (user, terminal) > (?, ?) ORDER BY user, terminal ${LIMIT}`,
      ...[after?.user ?? 0, after?.terminal ?? '', limit],
    )
    .map(holdingRow);
}

/** Who is held by terminals of a satellite, as it was told, by terminal. */
export function siteHoldings(
  db: Sqlite,
  site: number,
  after: HoldingRow | undefined,
  limit: number,
): readonly HoldingRow[] {
  return db
    .all(
      `SELECT user, terminal, checked, name FROM site_holdings LEFT JOIN users ON users.id = user
       WHERE site = ? AND (terminal, user) > (?, ?) ORDER BY terminal, user ${LIMIT}`,
      ...[site, after?.terminal ?? '', after?.user ?? 0, limit],
    )
    .map(holdingRow);
}

function holdingRow(row: Row): HoldingRow {
  return {
    ...{ terminal: text(row, 'terminal'), user: number(row, 'user'), checked: number(row, 'checked') },
    ...(row['name'] === null ? {} : { name: text(row, 'name') }),
  };
}

/** What changed of who is held, in the order of the commits; only the last change of each is there. */
export function holdingChanges(db: Sqlite, after: number, limit: number): readonly HoldingChange[] {
  return db
    .all(
      `SELECT seq, log.user AS user, log.terminal AS terminal, delivered, coalesce(checked, 0) AS checked
       FROM site_holding_log AS log
       LEFT JOIN ledger ON ledger.user = log.user AND ledger.terminal = log.terminal
       WHERE seq > ? ORDER BY seq ${LIMIT}`,
      after,
      limit,
    )
    .map((row) => ({
      ...{ seq: number(row, 'seq'), user: number(row, 'user'), terminal: text(row, 'terminal') },
      ...(row['delivered'] === null ? {} : { checked: number(row, 'checked') }),
    }));
}

/** Takes over what a satellite told; `fresh` begins anew. One who was erased is not named again. */
export function putHoldings(
  db: Sqlite,
  {
    site,
    fresh,
    rows,
  }: { readonly site: number; readonly fresh: boolean; readonly rows: readonly Omit<HoldingChange, 'seq'>[] },
): void {
  if (fresh) db.put('DELETE FROM site_holdings WHERE site = ?', site);
  for (const { terminal, user, checked } of rows) {
    db.put('DELETE FROM site_holdings WHERE site = ? AND terminal = ? AND user = ?', site, terminal, user);
    if (checked !== undefined && !wasErased(db, user))
      db.put(
        'INSERT INTO site_holdings (site, terminal, user, checked) VALUES (?, ?, ?, ?)',
        ...[site, terminal, user, checked],
      );
  }
}
