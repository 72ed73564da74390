import type { Sqlite } from '../sqlite.ts';
import type { PullRequest, Store } from '../store.ts';
import { number, pullRequest, text } from './rows.ts';
import { LIMIT } from './where.ts';

/** When a pull is tried that waits until what people do at terminals is taken. */
const NOT_YET = Number.MAX_SAFE_INTEGER;
/** Of a row of pulls that does not wait so. */
export const IS_OPEN = `pulls.next_try < ${NOT_YET}`;

const INSERT =
  'INSERT INTO pulls (terminal, user, log, attempts, next_try, changed, take) VALUES (?, ?, ?, ?, ?, ?, ?)';

/**
 * Opens a pull that a log asked for; one that is open moves on when the log is newer.
 * @param taken whether what people do at terminals is; else a new one waits until it is
 */
export function openPull(db: Sqlite, pull: PullRequest, taken: boolean): void {
  db.put(
    `${INSERT} ON CONFLICT (terminal, user) DO UPDATE SET log = excluded.log, attempts = excluded.attempts,
       next_try = CASE excluded.next_try WHEN ${NOT_YET} THEN pulls.next_try ELSE excluded.next_try END,
       changed = excluded.changed WHERE excluded.log > pulls.log`,
    ...values(taken ? pull : { ...pull, nextTry: NOT_YET }),
  );
}

/** What people do at terminals is taken from now on, and so is what they did before. */
export function releasePulls(db: Sqlite, now: number): void {
  db.put(`UPDATE pulls SET next_try = ? WHERE next_try = ${NOT_YET}`, now);
}

/** Somebody was deleted there: what an open pull has fetched before that may be there no more, and is looked at again. */
export function movePull(db: Sqlite, to: Pick<PullRequest, 'user' | 'terminal' | 'log' | 'nextTry'>): void {
  const { terminal, user, log, nextTry } = to;
  db.put(
    `UPDATE pulls SET log = ?1, attempts = 0, next_try = CASE WHEN ${IS_OPEN} THEN ?2 ELSE next_try END
     WHERE terminal = ?3 AND user = ?4 AND log < ?1`,
    log,
    nextTry,
    terminal,
    user,
  );
}

/**
 * Opens a pull that no log asked for; one that is open is tried anew, and still answers the newest log that asked for it. One
 * that waits until what people do at terminals is taken does so unless a person asks for it.
 */
export function requestPull(db: Sqlite, pull: PullRequest): void {
  db.put(
    `${INSERT} ON CONFLICT (terminal, user) DO UPDATE SET log = CASE WHEN excluded.log > pulls.log THEN excluded.log ELSE pulls.log END,
       attempts = excluded.attempts,
       next_try = CASE WHEN ${IS_OPEN} OR excluded.take IS NOT NULL THEN excluded.next_try ELSE pulls.next_try END,
       take = CASE pulls.take WHEN 'terminal' THEN pulls.take ELSE coalesce(excluded.take, pulls.take) END`,
    ...values(pull),
  );
}

function values({ terminal, user, log, attempts, nextTry, changed, take }: PullRequest) {
  return [terminal, user, log, attempts, nextTry, changed ?? null, take ?? null] as const;
}

/** Closes a pull unless a newer log record than `log` has come. */
export function closePull(db: Sqlite, terminal: string, user: number, log: number): void {
  db.put('DELETE FROM pulls WHERE terminal = ? AND user = ? AND log <= ?', terminal, user, log);
}

export function postponePull(db: Sqlite, pull: Parameters<Store['postponePull']>[0]): void {
  const { terminal, user, log, attempts, nextTry } = pull;
  if (nextTry === undefined) {
    closePull(db, terminal, user, log);
    return;
  }
  db.put(
    'UPDATE pulls SET attempts = ?, next_try = ? WHERE terminal = ? AND user = ? AND log <= ?',
    attempts,
    nextTry,
    terminal,
    user,
    log,
  );
}

export function duePulls(db: Sqlite, terminal: string, now: number, limit: number): readonly PullRequest[] {
  return db
    .all(
      `SELECT * FROM pulls WHERE terminal = ? AND next_try <= ? ORDER BY next_try, log, user ${LIMIT}`,
      terminal,
      now,
      limit,
    )
    .map(pullRequest);
}

/** By terminal. */
export function pullCounts(db: Sqlite): ReadonlyMap<string, number> {
  const rows = db.all(`SELECT terminal, count(*) AS open FROM pulls WHERE ${IS_OPEN} GROUP BY terminal`);
  return new Map(rows.map((row) => [text(row, 'terminal'), number(row, 'open')]));
}

export function openPulls(db: Sqlite, limit: number): readonly PullRequest[] {
  return db
    .all(`SELECT * FROM pulls WHERE ${IS_OPEN} ORDER BY terminal, user ${LIMIT}`, limit)
    .map(pullRequest);
}

/** All of a terminal's pulls may be tried at once. */
export function readmitPulls(db: Sqlite, terminal: string): void {
  db.put(`UPDATE pulls SET next_try = 0 WHERE terminal = ? AND next_try > 0 AND ${IS_OPEN}`, terminal);
}
