import type { Sqlite } from '../sqlite.ts';
import type { LedgerFilter, LedgerRow } from '../store.ts';
import { ledgerRow } from './rows.ts';
import { LIMIT, where } from './where.ts';
import { ledgerCounts, WANTS } from './ledger.ts';

const BY_STATE = `SELECT * FROM ledger WHERE terminal = ? AND state = ? AND want = ? AND user >= ? ORDER BY user ${LIMIT}`;

/** Rows by user and terminal. Whatever the filter, about as many rows are looked at as are answered. */
export function listLedger(db: Sqlite, filter: LedgerFilter): readonly LedgerRow[] {
  const { user, terminal, state } = filter;
  if (user !== undefined || (terminal === undefined && state === undefined)) return byUser(db, filter);
  return byState(db, filter);
}

function byUser(db: Sqlite, { user, terminal, state, after, limit }: LedgerFilter): readonly LedgerRow[] {
  const { sql, values } = where([
    ['user = ?', user],
    ['terminal = ?', terminal],
    ['state = ?', state],
  ]);
  const onward = after === undefined ? '' : `${sql === '' ? 'WHERE' : 'AND'} (user, terminal) > (?, ?)`;
  const from = after === undefined ? [] : [after.user, after.terminal];
  return db
    .all(`SELECT * FROM ledger ${sql} ${onward} ORDER BY user, terminal ${LIMIT}`, ...values, ...from, limit)
    .map(ledgerRow);
}

/** The index has the rows of one terminal, state and wish in order; those of several are brought together here. */
function byState(db: Sqlite, filter: LedgerFilter): readonly LedgerRow[] {
  const { after, limit } = filter;
  const rows: LedgerRow[] = [];
  for (const [terminal, counts] of ledgerCounts(db)) {
    if (filter.terminal !== undefined && filter.terminal !== terminal) continue;
    const first = after === undefined ? 0 : terminal > after.terminal ? after.user : after.user + 1;
    for (const [state, count] of Object.entries(counts)) {
      if (count === 0 || (filter.state !== undefined && filter.state !== state)) continue;
      for (const want of WANTS)
        rows.push(...db.all(BY_STATE, terminal, state, want, first, limit).map(ledgerRow));
    }
  }
  return rows.sort(byUserAndTerminal).slice(0, limit);
}

function byUserAndTerminal(a: LedgerRow, b: LedgerRow): number {
  return a.user - b.user || (a.terminal < b.terminal ? -1 : 1);
}
