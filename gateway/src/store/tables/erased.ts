import type { NewEvent } from '../../events/catalogue.ts';
import type { Loss } from '../backup.ts';
import type { Sqlite } from '../sqlite.ts';
import { putLedger } from './ledger.ts';
import { deleteUser } from './users.ts';

// Users who were erased. Until a terminal has lost them, nothing that it says of them is taken.

/** Those who some terminal still has to lose, with the time of their erasure, milliseconds UTC. */
export function erasedUnderWay(db: Sqlite): (readonly [user: number, time: number])[] {
  return db
    .all(
      `SELECT user, time FROM erased
       WHERE EXISTS (SELECT 1 FROM ledger WHERE ledger.user = erased.user AND want = 'absent')`,
    )
    .map((row) => [Number(row['user']), Number(row['time'])] as const);
}

export function putErased(db: Sqlite, user: number, time: number): void {
  db.run(
    'INSERT INTO erased (user, time) VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET time = excluded.time',
    user,
    time,
  );
}

export function wasErased(db: Sqlite, user: number): boolean {
  return db.get('SELECT 1 FROM erased WHERE user = ?', user) !== undefined;
}

/** Whether a terminal still has to lose a user because that user was erased. */
export type Losing = (user: number) => boolean;

/** By user, as a list of all of a terminal's would be made anew for each log page and merge. */
export function losing(db: Sqlite, terminal: string): Losing {
  const sql = `SELECT 1 FROM erased CROSS JOIN ledger
     WHERE ledger.user = erased.user AND terminal = ? AND erased.user = ? AND want = 'absent'`;
  return (user) => db.get(sql, terminal, user) !== undefined;
}

/**
 * Destroys all that is held of a user, and every data key that seals something of them.
 * @param losses at which terminals
 * @returns ids of the keys, in hexadecimal
 */
export function eraseUser(db: Sqlite, user: number, losses: readonly Loss[], time: number): string[] {
  const about = 'SELECT key FROM conflicts WHERE user = ? OR new_user = ?';
  const keys = db
    .all(
      `DELETE FROM keys WHERE user = ? OR id IN (${about}) RETURNING lower(hex(id)) AS id`,
      user,
      user,
      user,
    )
    .map((row) => String(row['id']));
  deleteUser(db, user);
  db.run('DELETE FROM conflicts WHERE user = ? OR new_user = ?', user, user);
  db.run('DELETE FROM pulls WHERE user = ?', user);
  db.run('DELETE FROM partials');
  db.run('UPDATE events SET user = NULL WHERE user = ?', user);
  for (const { terminal, version } of losses)
    putLedger(db, { user, terminal, version, want: 'absent', state: 'pending', attempts: 0, nextTry: time });
  putErased(db, user, time);
  return keys;
}

/** Takes those who were erased out of what a terminal tells. */
export function withoutErased(lost: Losing): (event: NewEvent) => NewEvent {
  return (event) => {
    if (event.user === undefined || !lost(event.user)) return event;
    const { user: _, ...rest } = event;
    return rest;
  };
}
