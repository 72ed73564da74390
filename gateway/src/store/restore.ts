import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf, WhorlError } from '@whorl/protocol';
import { DOUBTS } from '../events/catalogue.ts';
import { STORE_NOTE } from './backups.ts';
import { makeDirectory, syncDirectory } from './durable.ts';
import { machine } from './ground.ts';
import { keysFile, readKeysFile } from './keys-file.ts';
import type { KeysKept } from './keys-file.ts';
import { keyRow, Keys, KeyTable } from './keys.ts';
import { MasterPlaces, readKeyFile } from './master-key.ts';
import type { Environment } from './master-key.ts';
import { migrate } from './migrations.ts';
import { DATABASE } from './open.ts';
import { broughtHome } from './restored-keys.ts';
import { UNSETTLED_NOTE } from './rotation.ts';
import { numbers, soundness } from './sealed-copy.ts';
import { translatedFile } from './sqlite-errors.ts';
import { Sqlite } from './sqlite.ts';
import { AuditTable } from './tables/audit.ts';
import { erasedUnderWay, putErased } from './tables/erased.ts';
import { insertEvents } from './tables/events.ts';
import { masters, putMaster, takeMaster } from './tables/masters.ts';
import type { MasterRow } from './tables/masters.ts';
import { note, putNote } from './tables/small.ts';
import { bury } from './tables/tombstones.ts';
import { deleteUser, hasUser, readUser, showUser } from './tables/users.ts';

export interface RestoreOptions {
  /** The data directory. */
  readonly data: string;
  /** The backup. */
  readonly file: string;
  /** Milliseconds UTC. */
  readonly now: number;
  /** Whether a database that is there may be replaced. */
  readonly replace: boolean;
  /** File of the master key that the backup was made under, where that is not the one of this machine any more. */
  readonly masterKey?: string;
  /** Where master keys may be given; by default the process's own. */
  readonly environment?: Environment;
}

export interface RestoreReport {
  readonly users: number;
  /** Users of the backup who were erased since: left out, and removed from the terminals that have them. */
  readonly erased: number;
  readonly terminals: number;
  /** Where the database that was there is kept. */
  readonly aside?: string;
}

/** Ids of events go on so far ahead that nobody who follows them takes new ones for old. */
const EVENTS_AHEAD = 1_000_000;

/**
 * Puts a backup in the place of the database. Every terminal is in doubt afterwards: it is compared before anything is
 * sent to it. Sessions and tokens are not restored.
 * @throws WhorlError GATEWAY_RUNNING, BACKUP_*, VAULT_*, STORE_*; then all is as it was
 */
export async function restore(options: RestoreOptions): Promise<RestoreReport> {
  const { data, file, now } = options;
  const path = join(data, DATABASE);
  const fresh = join(data, 'restore.db');
  translatedFile(() => {
    makeDirectory(machine.files, data);
  });
  if (!existsSync(file)) throw new WhorlError('BACKUP_BAD', `${file} is not there`);
  const held = existsSync(path) ? keptIn(path) : undefined;
  if (held !== undefined && !options.replace) throw new WhorlError('BACKUP_REPLACES', path);
  clear(fresh);
  try {
    translatedFile(() => {
      copyFileSync(file, fresh);
      chmodSync(fresh, 0o600);
    });
    const report = await prepare(fresh, options, held);
    const aside = existsSync(path)
      ? `${path}.replaced-${new Date(now).toISOString().replaceAll(/[:.]/g, '')}`
      : undefined;
    translatedFile(() => {
      if (aside !== undefined) setAside(path, aside);
      renameSync(fresh, path);
      syncDirectory(machine.files, data);
    });
    return { ...report, ...(aside === undefined ? {} : { aside }) };
  } finally {
    clear(fresh);
  }
}

interface Held extends KeysKept {
  readonly store: string;
  readonly masters: readonly MasterRow[];
}

/** What the database that is there knows of data keys; `undefined` when it is damaged. @throws WhorlError GATEWAY_RUNNING */
function keptIn(path: string): Held | 'damaged' {
  try {
    const db = new Sqlite(path, (raw) => migrate(raw));
    try {
      const keys = db.all('SELECT * FROM keys').map(keyRow);
      const store = note(db, STORE_NOTE) ?? '';
      return { store, keys, masters: masters(db), erased: erasedUnderWay(db) };
    } finally {
      db.close();
    }
  } catch (error) {
    if (codeOf(error) === 'STORE_BUSY')
      throw new WhorlError('GATEWAY_RUNNING', dirname(path), { cause: error });
    if (codeOf(error) === 'STORE_CORRUPT' || codeOf(error) === 'STORE_IO') return 'damaged';
    throw error;
  }
}

async function prepare(
  fresh: string,
  { data, file, now, masterKey, environment }: RestoreOptions,
  held: ReturnType<typeof keptIn> | undefined,
): Promise<Omit<RestoreReport, 'aside'>> {
  const db = new Sqlite(fresh, (raw) => migrate(raw));
  try {
    soundness(db, file);
    const store = note(db, STORE_NOTE) ?? '';
    const same = typeof held === 'object' && held.store === store ? held : undefined;
    const kept = same ?? readKeysFile(join(dirname(file), keysFile(store)));
    const known = [...masters(db), ...(same?.masters ?? [])];
    const { home, rows } = translatedFile(() =>
      broughtHome({
        keys: kept.keys,
        masters: [...new Map(known.map((row) => [row.number, row])).values()],
        places: new MasterPlaces(data, environment),
        given: masterKey === undefined ? undefined : readKeyFile(masterKey),
      }),
    );
    const table = new KeyTable(db);
    const keys = new Keys(table, new Map([[home.number, home.vault]]), randomBytes);
    const report = await db.write(() => {
      for (const row of rows) table.add(row);
      for (const row of known) putMaster(db, row);
      takeMaster(db, home, now);
      // What was put aside amid a change of the master key is under both.
      if (same?.masters.some(({ number, until }) => until === undefined && number !== home.number) === true)
        putNote(db, UNSETTLED_NOTE, '[]');
      const lost = new Set(withoutKey(db));
      const gone = kept.erased.map(([user]) => user).filter((user) => !hasUser(db, user));
      const erased = new Set([...lost, ...gone]);
      for (const user of erased) {
        forget(db, user, now);
        bury(db, keys, { user, time: now, by: 'restore', how: 'erased' });
      }
      const users = numbers(db, 'SELECT id FROM users');
      for (const id of users) showUser(db, id, readUser(db, keys, id));
      const terminals = putInDoubt(db);
      db.run("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'events'", EVENTS_AHEAD);
      const told = { users: users.length, erased: erased.size };
      insertEvents(db, [{ type: 'gateway.restored', time: now, data: told }]);
      return { ...told, terminals };
    });
    await new AuditTable(db, keys).append({
      ...{ time: now, who: 'machine', place: 'this machine', deed: 'backup.restore', target: 'database' },
      ...{ detail: JSON.stringify(report), outcome: 'done' },
    });
    return report;
  } finally {
    db.close();
  }
}

/** @returns how many terminals there are */
function putInDoubt(db: Sqlite): number {
  // Whatever left less to trust when the backup was made still does.
  const graver = DOUBTS.slice(DOUBTS.indexOf('restored')).map((doubt) => `'${doubt}'`);
  return db.run(
    `UPDATE terminals SET unseen = 0, doubt = CASE WHEN doubt IN (${graver.join()}) THEN doubt ELSE 'restored' END`,
  );
}

/** Users and people held apart whose data key was destroyed. */
function withoutKey(db: Sqlite): number[] {
  const lost = 'NOT EXISTS (SELECT 1 FROM keys WHERE id = key)';
  return numbers(db, `SELECT user FROM records WHERE ${lost} UNION SELECT user FROM conflicts WHERE ${lost}`);
}

/** Somebody who was erased is removed here too, and from every terminal that may have them. */
function forget(db: Sqlite, user: number, now: number): void {
  deleteUser(db, user);
  db.run('DELETE FROM conflicts WHERE user = ? OR new_user = ?', user, user);
  db.run('DELETE FROM pulls WHERE user = ?', user);
  db.run('UPDATE events SET user = NULL WHERE user = ?', user);
  db.run('DELETE FROM ledger WHERE user = ?', user);
  db.run(
    `INSERT INTO ledger (user, terminal, want, state, version, attempts, next_try)
     SELECT ?, name, 'absent', 'pending', 0, 0, ? FROM terminals`,
    user,
    now,
  );
  putErased(db, user, now);
}

/** At no moment is there no database under its name. */
function setAside(path: string, aside: string): void {
  for (const end of ['-wal', '-shm']) if (existsSync(path + end)) renameSync(path + end, aside + end);
  try {
    linkSync(path, aside);
  } catch {
    // Not every file system has links.
    copyFileSync(path, aside);
  }
}

function clear(path: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
}
