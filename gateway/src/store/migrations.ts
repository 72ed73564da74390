import { WhorlError } from '@whorl/protocol';
import type { Connection } from './ground.ts';
import { VERSIONS_1_TO_15 } from './schema/versions-1-to-15.ts';
import { VERSIONS_FROM_16 } from './schema/versions-from-16.ts';

/** `WHRL`: tells a database of ours from any other. */
const APPLICATION_ID = 0x5748524c;

/**
 * locking_mode: an exclusive lock, taken with the first look and held until the process ends, however it ends: two
 * gateways on one database would each undo what the other does.
 * synchronous: a commit is on the disk before it is acknowledged.
 * secure_delete: what is deleted, a data key above all, is overwritten with zeros.
 * wal_autocheckpoint, cache_size: a checkpoint writes every changed page back; a larger log lets it come seldom (about
 * every 32 MB).
 */
export const SETUP = `
  PRAGMA busy_timeout = 250; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -65536;
`;

/**
 * What makes each version of the schema from the one before, by age; PostgreSQL's are in `postgres/schema.ts`. Never
 * edited once released.
 */
export const MIGRATIONS: readonly string[] = [...VERSIONS_1_TO_15, ...VERSIONS_FROM_16];

/**
 * Sets an SQLite database up and brings it to this release's schema, each step whole or not at all.
 * @throws WhorlError STORE_NEWER, STORE_CORRUPT; then nothing was changed
 */
export function migrate(db: Connection, steps: readonly string[] = MIGRATIONS): void {
  db.exec(SETUP);
  const version = pragma(db, 'user_version');
  const application = pragma(db, 'application_id');
  const ours = version === 0 ? application === 0 && isEmpty(db) : application === APPLICATION_ID;
  if (!ours) throw new WhorlError('STORE_CORRUPT', 'this is a database of another program');
  if (version > steps.length)
    throw new WhorlError(
      'STORE_NEWER',
      `its schema is version ${version}, this release knows ${steps.length}`,
    );
  for (const [index, step] of steps.slice(version).entries()) apply(db, step, version + index + 1);
}

function apply(db: Connection, step: string, version: number): void {
  try {
    db.exec(
      `BEGIN IMMEDIATE; ${step}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}; COMMIT;`,
    );
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function isEmpty(db: Connection): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
}

function pragma(db: Connection, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}
