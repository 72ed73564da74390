import type { Sqlite } from '../sqlite.ts';
import type { HeldUsers } from '../tasks.ts';
import { putLedger } from './ledger.ts';
import { bytes, number, text } from './rows.ts';

// Which terminals are portable, and what each holds: rows of the ledger that nobody brings in line but sync sessions.

export function portables(db: Sqlite): readonly string[] {
  return db.all('SELECT terminal FROM portables ORDER BY terminal').map((row) => text(row, 'terminal'));
}

export function isPortable(db: Sqlite, terminal: string): boolean {
  return db.get('SELECT 1 FROM portables WHERE terminal = ?', terminal) !== undefined;
}

/** What was planned for it as another kind of terminal is void; who was erased is still to be lost there. */
export function setPortable(db: Sqlite, terminal: string, portable: boolean): void {
  if (portable)
    db.run('INSERT INTO portables (terminal) VALUES (?) ON CONFLICT (terminal) DO NOTHING', terminal);
  else db.run('DELETE FROM portables WHERE terminal = ?', terminal);
  db.run('DELETE FROM pulls WHERE terminal = ?', terminal);
  db.run(
    `DELETE FROM ledger WHERE terminal = ? AND NOT (want = 'absent' AND user IN (SELECT user FROM erased))`,
    terminal,
  );
}

/** The names of their data keys: each is made for one person. One that is renewed counts as another person's, too. */
export function births(db: Sqlite, users: readonly number[]): ReadonlyMap<number, string> {
  const sql = 'SELECT user, key FROM records WHERE user IN (SELECT value FROM json_each(?))';
  return new Map(
    db
      .all(sql, JSON.stringify(users))
      .map((row) => [number(row, 'user'), Buffer.from(bytes(row, 'key')).toString('hex')]),
  );
}

/**
 * Rows that are right already are left alone: with nothing new, nothing is written. So are those of people who were erased
 * while they were brought there: they are still to be removed.
 */
export function holdExactly(db: Sqlite, terminal: string, held: HeldUsers, time: number): void {
  const now = births(db, [...held.versions.keys()]);
  const isSame = (user: number): boolean => now.has(user) && now.get(user) === held.births.get(user);
  const left = new Set<number>();
  for (const row of db.all('SELECT user, want, state, version FROM ledger WHERE terminal = ?', terminal)) {
    const user = number(row, 'user');
    const brought = held.versions.get(user);
    const present = row['want'] === 'present' && row['state'] === 'verified';
    const right = present && brought === number(row, 'version');
    const erased = row['want'] === 'absent' && brought !== undefined && !isSame(user);
    if (right || erased) left.add(user);
    else db.run('DELETE FROM ledger WHERE terminal = ? AND user = ?', terminal, user);
  }
  for (const [user, brought] of held.versions) {
    if (left.has(user)) continue;
    // Somebody was given the number meanwhile, and who had it before is there.
    const version = now.has(user) && !isSame(user) ? 0 : brought;
    putLedger(db, {
      ...{ user, terminal, version, want: 'present', state: 'verified' },
      ...{ attempts: 0, checked: time },
    });
  }
}
