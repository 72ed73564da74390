import type { DatabaseSync } from 'node:sqlite';
import { WhorlError } from '@whorl/protocol';

/** `WHRL`: tells a database of ours from any other. */
const APPLICATION_ID = 0x5748524c;

/** What makes each version of the schema from the one before. Never edited once released. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE terminals (
    name TEXT PRIMARY KEY, serial TEXT NOT NULL, epoch INTEGER NOT NULL, log INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE users (
    id INTEGER PRIMARY KEY, version INTEGER NOT NULL, name TEXT NOT NULL, groups TEXT NOT NULL, fields TEXT NOT NULL,
    changed INTEGER NOT NULL, provenance TEXT NOT NULL, data_key BLOB NOT NULL, sealed BLOB NOT NULL
  );
  CREATE TABLE ledger (
    user INTEGER NOT NULL, terminal TEXT NOT NULL, want TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL,
    reason TEXT, attempts INTEGER NOT NULL, next_try INTEGER, checked INTEGER,
    PRIMARY KEY (user, terminal)
  ) WITHOUT ROWID;
  CREATE INDEX ledger_due ON ledger (terminal, next_try) WHERE next_try IS NOT NULL;
  CREATE INDEX ledger_state ON ledger (terminal, state);
  CREATE TABLE pulls (
    terminal TEXT NOT NULL, user INTEGER NOT NULL, log INTEGER NOT NULL, attempts INTEGER NOT NULL, next_try INTEGER NOT NULL,
    PRIMARY KEY (terminal, user)
  ) WITHOUT ROWID;
  CREATE INDEX pulls_due ON pulls (terminal, next_try);
  CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, type TEXT NOT NULL, line TEXT, terminal TEXT,
    user INTEGER, origin TEXT, data TEXT NOT NULL, source TEXT UNIQUE
  );
  CREATE INDEX events_user ON events (user, id) WHERE user IS NOT NULL;
  CREATE INDEX events_terminal ON events (terminal, id) WHERE terminal IS NOT NULL;
  CREATE INDEX events_type ON events (type, id);
  `,
];

/**
 * Brings a database to this release's schema, each step whole or not at all.
 * @returns whether it was new
 * @throws WhorlError STORE_NEWER, STORE_CORRUPT
 */
export function migrate(db: DatabaseSync): boolean {
  const version = pragma(db, 'user_version');
  const application = pragma(db, 'application_id');
  if (version > MIGRATIONS.length)
    throw new WhorlError(
      'STORE_NEWER',
      `its schema is version ${version}, this release knows ${MIGRATIONS.length}`,
    );
  if (version > 0 && application !== APPLICATION_ID)
    throw new WhorlError('STORE_CORRUPT', 'this is a database of another program');
  for (const [index, step] of MIGRATIONS.slice(version).entries()) {
    db.exec(
      `BEGIN IMMEDIATE; ${step} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + index + 1}; COMMIT;`,
    );
  }
  return version === 0;
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}
