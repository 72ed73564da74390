import { SYNC_STATES } from '../tasks.ts';
import type { SentAnswer, SentChange, SentKey, SyncCount, SyncFilter, SyncRow } from '../tasks.ts';
import type { Row, Sqlite } from '../sqlite.ts';
import { number, text } from './rows.ts';
import { where } from './where.ts';

// Sync sessions, and what was answered to the changes that they brought.

const KEPT = 5000;

/** One that still runs at the terminal cannot go on: its wish is another one by now. */
export function insertSync(db: Sqlite, { state, terminal, task, ...rest }: Omit<SyncRow, 'id'>): number {
  const gone = 'the terminal began another one, and does not know this one any more';
  db.run(
    `UPDATE syncs SET state = 'failed', sync = json_set(sync, '$.ended', ?, '$.reason', ?)
     WHERE terminal = ? AND state = 'running'`,
    rest.began,
    gone,
    terminal,
  );
  const row = db.get(
    'INSERT INTO syncs (terminal, task, state, sync) VALUES (?, ?, ?, ?) RETURNING id',
    terminal,
    task,
    state,
    JSON.stringify(rest),
  );
  const id = number(row ?? {}, 'id');
  db.run("DELETE FROM syncs WHERE id <= ? AND state <> 'running'", id - KEPT);
  return id;
}

export function putSync(db: Sqlite, { id, state, terminal: _, task: __, ...rest }: SyncRow): void {
  db.run('UPDATE syncs SET state = ?, sync = ? WHERE id = ?', state, JSON.stringify(rest), id);
}

export function readSync(db: Sqlite, id: number): SyncRow | undefined {
  const row = db.get('SELECT * FROM syncs WHERE id = ?', id);
  return row === undefined ? undefined : syncOf(row);
}

export function listSyncs(db: Sqlite, { terminal, task, state, limit }: SyncFilter): readonly SyncRow[] {
  const { sql, values } = where([
    ['terminal = ?', terminal],
    ['task = ?', task],
    ['state = ?', state],
  ]);
  return db.all(`SELECT * FROM syncs ${sql} ORDER BY id DESC LIMIT ?`, ...values, limit).map(syncOf);
}

export function countSyncs(db: Sqlite): readonly SyncCount[] {
  return db
    .all(
      `SELECT terminal, state, count(*) AS count, coalesce(max(json_extract(sync, '$.ended')), 0) AS last
       FROM syncs GROUP BY terminal, state`,
    )
    .map((row) => ({
      terminal: text(row, 'terminal'),
      state: stateOf(row),
      count: number(row, 'count'),
      last: number(row, 'last'),
    }));
}

export function readSent(db: Sqlite, { serial, epoch, seq }: SentKey): SentAnswer | undefined {
  const row = db.get(
    'SELECT result, reason FROM sent WHERE serial = ? AND epoch = ? AND seq = ?',
    serial,
    epoch,
    seq,
  );
  if (row === undefined) return undefined;
  return { result: text(row, 'result') as SentAnswer['result'], reason: text(row, 'reason') };
}

/** The first answer stands. */
export function putSent(db: Sqlite, { serial, epoch, seq, answer }: SentChange): void {
  db.run(
    `INSERT INTO sent (serial, epoch, seq, result, reason) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (serial, epoch, seq) DO NOTHING`,
    serial,
    epoch,
    seq,
    answer.result,
    answer.reason,
  );
}

export function keepSent(db: Sqlite, serial: string, epoch: number, seqs: readonly number[]): void {
  db.run(
    'DELETE FROM sent WHERE serial = ? AND (epoch <> ? OR seq NOT IN (SELECT value FROM json_each(?)))',
    serial,
    epoch,
    JSON.stringify(seqs),
  );
}

function syncOf(row: Row): SyncRow {
  const rest = JSON.parse(text(row, 'sync')) as Omit<SyncRow, 'id' | 'terminal' | 'task' | 'state'>;
  const about = { id: number(row, 'id'), terminal: text(row, 'terminal'), task: number(row, 'task') };
  return { ...rest, ...about, state: stateOf(row) };
}

function stateOf(row: Row): SyncRow['state'] {
  const state = text(row, 'state');
  return SYNC_STATES.find((one) => one === state) ?? 'failed';
}
