import type { Row, Sqlite } from '../sqlite.ts';
import type { LedgerCounts, LedgerResult, LedgerRow } from '../store.ts';
import { IS_OPEN } from './pulls.ts';
import { ledgerRow, number, text } from './rows.ts';
import { LIMIT } from './where.ts';

const NONE: LedgerCounts = { pending: 0, sending: 0, verified: 0, failed: 0, withheld: 0 };
/** Removals make room, and the people removed may have lost the right to enter: they come first. */
export const WANTS: readonly LedgerRow['want'][] = ['absent', 'present'];

const PUT = `INSERT INTO ledger (user, terminal, want, state, version, reason, attempts, next_try, checked, delivered)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user, terminal) DO UPDATE SET want = excluded.want,
    state = excluded.state, version = excluded.version, reason = excluded.reason, attempts = excluded.attempts,
    next_try = excluded.next_try, checked = coalesce(excluded.checked, ledger.checked)`;
const PUT_HELD = `${PUT}, delivered = coalesce(excluded.delivered, ledger.delivered)`;
const PUT_GONE = `${PUT}, delivered = NULL`;

/**
 * Writes a row as it stands; when it does not say when it was checked, the time known so far stays. What was delivered
 * is what was verified last, and nothing once the user was deleted there or turned out to be somebody else.
 */
export function putLedger(db: Sqlite, row: LedgerRow): void {
  const gone = row.version === 0 || row.reason === 'deleted-at-terminal' || row.reason === 'two-people';
  db.put(
    gone ? PUT_GONE : PUT_HELD,
    row.user,
    row.terminal,
    row.want,
    row.state,
    row.version,
    row.reason ?? null,
    row.attempts,
    row.nextTry ?? null,
    row.checked ?? null,
    row.want === 'present' && row.state === 'verified' ? row.version : null,
  );
}

const UNPULLED = `NOT EXISTS (SELECT 1 FROM pulls WHERE pulls.terminal = ledger.terminal AND pulls.user = ledger.user AND ${IS_OPEN})`;
const RETRIES = `SELECT * FROM ledger WHERE terminal = ? AND want = ? AND state = 'failed' AND next_try <= ?
  AND ${UNPULLED} ORDER BY next_try, user ${LIMIT}`;
const PENDING = `SELECT * FROM ledger WHERE terminal = ? AND state = 'pending' AND want = ?
  AND ${UNPULLED} ORDER BY user ${LIMIT}`;

/**
 * Whether what a comparison found is about what is planned by now: a user may have been changed, removed or reached otherwise
 * since the comparison began.
 */
export function isStill(db: Sqlite, { user, terminal, want, state, version }: LedgerRow): boolean {
  const row = db.get('SELECT want, version FROM ledger WHERE user = ? AND terminal = ?', user, terminal);
  if (row === undefined) return state !== 'verified';
  if (state === 'verified' && text(row, 'want') !== want) return false;
  return version === 0 || number(row, 'version') <= version;
}

export function dueLedger(db: Sqlite, terminal: string, now: number, limit: number): readonly LedgerRow[] {
  const due: Row[] = [];
  for (const want of WANTS) {
    // First, as what is pending may never end.
    due.push(...db.all(RETRIES, terminal, want, now, limit - due.length));
    due.push(...db.all(PENDING, terminal, want, limit - due.length));
  }
  return due.map(ledgerRow);
}

/** When the next pull or ledger row becomes due after `now`. */
export function nextDue(db: Sqlite, terminal: string, now: number): number | undefined {
  const retry = (want: LedgerRow['want']): string =>
    `SELECT min(next_try) FROM ledger WHERE terminal = ?1 AND want = '${want}' AND state = 'failed' AND next_try > ?2`;
  const row = db.get(
    `SELECT min(due) AS due FROM (
       SELECT min(next_try) AS due FROM pulls WHERE terminal = ?1 AND next_try > ?2
       UNION ALL ${WANTS.map(retry).join(' UNION ALL ')}) AS dues`,
    terminal,
    now,
  );
  return row === undefined || row['due'] === null ? undefined : number(row, 'due');
}

export function markSending(db: Sqlite, terminal: string, row: LedgerRow): void {
  db.put(
    `UPDATE ledger SET state = 'sending', version = ?1, next_try = NULL
     WHERE user = ?2 AND terminal = ?3 AND want = ?4 AND version <= ?1`,
    row.version,
    row.user,
    terminal,
    row.want,
  );
}

/** Ignored unless the row is still on its way with the same wish and version. */
export function settleRow(db: Sqlite, terminal: string, result: LedgerResult): void {
  const at = [result.user, terminal, result.want, result.version] as const;
  if (result.want === 'absent' && result.state === 'verified') {
    db.put('DELETE FROM ledger WHERE user = ? AND terminal = ? AND want = ? AND version = ?', ...at);
    return;
  }
  db.put(
    `UPDATE ledger SET state = ?1, reason = ?2, attempts = ?3, next_try = ?4, checked = coalesce(?5, checked),
       delivered = CASE ?1 WHEN 'verified' THEN version ELSE delivered END
     WHERE user = ?6 AND terminal = ?7 AND want = ?8 AND version = ?9 AND state = 'sending'`,
    result.state,
    result.reason ?? null,
    result.attempts,
    result.nextTry ?? null,
    result.checked ?? null,
    ...at,
  );
}

/** What was on its way to a terminal, or failed because it did not answer, is pending again. */
export function readmitLedger(db: Sqlite, terminal: string): void {
  db.put(
    `UPDATE ledger SET state = 'pending', attempts = 0, next_try = 0, reason = NULL
     WHERE terminal = ? AND state IN ('sending', 'failed') AND (state = 'sending' OR reason = 'unreachable')`,
    terminal,
  );
}

export function ledgerOf(db: Sqlite, users: readonly number[]): readonly LedgerRow[] {
  return db
    .all(
      'SELECT * FROM ledger WHERE user IN (SELECT value FROM json_each(?)) ORDER BY user, terminal',
      JSON.stringify(users),
    )
    .map(ledgerRow);
}

export function ledgerCounts(db: Sqlite): ReadonlyMap<string, LedgerCounts> {
  const counts = new Map<string, LedgerCounts>();
  for (const row of db.all('SELECT * FROM ledger_counts WHERE count > 0')) {
    const terminal = text(row, 'terminal');
    counts.set(terminal, { ...(counts.get(terminal) ?? NONE), [text(row, 'state')]: number(row, 'count') });
  }
  return counts;
}

/** Who is there, and who is to go once something goes out again by itself. */
const OF_THE_FORMER = `(state = 'verified' OR (state = 'withheld' AND want = 'absent'))`;

/**
 * A number is given anew: where whoever had it before still is, as at portable terminals until the next download, or at
 * one that is away, that is no version of who has it now, though both were counted from 1.
 */
export function passNumberOn(db: Sqlite, user: number): void {
  db.put(`UPDATE ledger SET version = 0, delivered = 0 WHERE user = ? AND ${OF_THE_FORMER}`, user);
  db.put(`UPDATE ledger SET delivered = 0 WHERE user = ? AND delivered IS NOT NULL`, user);
}

export function forgetDelivered(db: Sqlite, terminal: string): void {
  db.put('UPDATE ledger SET delivered = NULL WHERE terminal = ?', terminal);
}
