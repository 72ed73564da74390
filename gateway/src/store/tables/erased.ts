import type { Sqlite } from '../sqlite.ts';

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
