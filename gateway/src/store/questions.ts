import type { StoredEvent } from '../events/catalogue.ts';
import { ledgerRow, number, storedEvent, text, userSummary } from './rows.ts';
import type { Sqlite } from './sqlite.ts';
import type { EventFilter, LedgerCounts, LedgerFilter, LedgerRow, UserFilter, UserSummary } from './store.ts';

// What people ask of the database; what the sync itself does stands in sqlite-store.ts.

const NONE: LedgerCounts = { pending: 0, sending: 0, verified: 0, failed: 0, withheld: 0 };

export function listEvents(db: Sqlite, filter: EventFilter): readonly StoredEvent[] {
  const { where, values } = conditions([
    ['id > ?', filter.after],
    ['type = ?', filter.type],
    ['terminal = ?', filter.terminal],
    ['user = ?', filter.user],
  ]);
  const rows = db.all(
    `SELECT * FROM events ${where} ORDER BY id ${filter.newest === true ? 'DESC' : 'ASC'} LIMIT ?`,
    ...values,
    filter.limit,
  );
  const events = rows.map(storedEvent);
  return filter.newest === true ? events.reverse() : events;
}

export function listUsers(db: Sqlite, filter: UserFilter): readonly UserSummary[] {
  const name = filter.name === undefined ? undefined : `%${filter.name.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const { where, values } = conditions([
    ['id > ?', filter.after],
    ["name LIKE ? ESCAPE '\\'", name],
    ['EXISTS (SELECT 1 FROM json_each(users.groups) AS held WHERE held.value = ?)', filter.group],
  ]);
  const columns = 'id, name, version, groups, fields, changed';
  return db
    .all(`SELECT ${columns} FROM users ${where} ORDER BY id LIMIT ?`, ...values, filter.limit)
    .map(userSummary);
}

export function listLedger(db: Sqlite, filter: LedgerFilter): readonly LedgerRow[] {
  const { where, values } = conditions([
    ['user = ?', filter.user],
    ['terminal = ?', filter.terminal],
    ['state = ?', filter.state],
    ['(user, terminal) > (?, ?)', filter.after?.user, filter.after?.terminal],
  ]);
  return db
    .all(`SELECT * FROM ledger ${where} ORDER BY user, terminal LIMIT ?`, ...values, filter.limit)
    .map(ledgerRow);
}

export function countLedger(db: Sqlite): ReadonlyMap<string, LedgerCounts> {
  const counts = new Map<string, LedgerCounts>();
  for (const row of db.all(
    'SELECT terminal, state, count(*) AS count FROM ledger GROUP BY terminal, state',
  )) {
    const terminal = text(row, 'terminal');
    counts.set(terminal, { ...(counts.get(terminal) ?? NONE), [text(row, 'state')]: number(row, 'count') });
  }
  return counts;
}

/** A WHERE clause of those conditions that have all their values. */
function conditions(list: readonly (readonly [string, ...(string | number | undefined)[]])[]): {
  where: string;
  values: (string | number)[];
} {
  const given = list.filter(([, ...values]) => values.every((value) => value !== undefined));
  const where = given.length === 0 ? '' : `WHERE ${given.map(([sql]) => sql).join(' AND ')}`;
  return { where, values: given.flatMap(([, ...values]) => values as (string | number)[]) };
}
