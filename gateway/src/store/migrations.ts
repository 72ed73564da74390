import { WhorlError } from '@whorl/protocol';
import type { Connection } from './ground.ts';

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

/** What makes each version of the schema from the one before. Never edited once released. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE terminals (
    name TEXT PRIMARY KEY, serial TEXT NOT NULL, epoch INTEGER NOT NULL, log INTEGER NOT NULL
  ) WITHOUT ROWID;

  -- What may be listed stands apart from what is sealed: counting and searching read a few bytes a user.
  CREATE TABLE users (
    id INTEGER PRIMARY KEY, version INTEGER NOT NULL, name TEXT NOT NULL, groups TEXT NOT NULL, fields TEXT NOT NULL,
    changed INTEGER NOT NULL
  );
  CREATE TABLE records (
    user INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    provenance TEXT NOT NULL, data_key BLOB NOT NULL, sealed BLOB NOT NULL
  );

  CREATE TABLE ledger (
    user INTEGER NOT NULL, terminal TEXT NOT NULL, want TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL,
    reason TEXT, attempts INTEGER NOT NULL, next_try INTEGER, checked INTEGER,
    due INTEGER GENERATED ALWAYS AS (
      CASE state WHEN 'pending' THEN coalesce(next_try, 0) WHEN 'failed' THEN next_try END
    ) VIRTUAL,
    PRIMARY KEY (user, terminal)
  ) WITHOUT ROWID;
  CREATE INDEX ledger_due ON ledger (terminal, want, due, user) WHERE due IS NOT NULL;
  CREATE INDEX ledger_state ON ledger (terminal, state, user);

  -- A status page asks often, and three million rows take a second to count.
  CREATE TABLE ledger_counts (
    terminal TEXT NOT NULL, state TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (terminal, state)
  ) WITHOUT ROWID;
  CREATE TRIGGER ledger_added AFTER INSERT ON ledger BEGIN
    INSERT INTO ledger_counts VALUES (new.terminal, new.state, 1)
      ON CONFLICT (terminal, state) DO UPDATE SET count = count + 1;
  END;
  CREATE TRIGGER ledger_moved AFTER UPDATE OF state ON ledger WHEN old.state <> new.state BEGIN
    UPDATE ledger_counts SET count = count - 1 WHERE terminal = old.terminal AND state = old.state;
    INSERT INTO ledger_counts VALUES (new.terminal, new.state, 1)
      ON CONFLICT (terminal, state) DO UPDATE SET count = count + 1;
  END;
  CREATE TRIGGER ledger_gone AFTER DELETE ON ledger BEGIN
    UPDATE ledger_counts SET count = count - 1 WHERE terminal = old.terminal AND state = old.state;
  END;

  CREATE TABLE pulls (
    terminal TEXT NOT NULL, user INTEGER NOT NULL, log INTEGER NOT NULL, attempts INTEGER NOT NULL, next_try INTEGER NOT NULL,
    PRIMARY KEY (terminal, user)
  ) WITHOUT ROWID;
  CREATE INDEX pulls_due ON pulls (terminal, next_try, log);

  CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, type TEXT NOT NULL, line TEXT, terminal TEXT,
    user INTEGER, origin TEXT, data TEXT NOT NULL, source TEXT UNIQUE
  );
  CREATE INDEX events_user ON events (user, id) WHERE user IS NOT NULL;
  CREATE INDEX events_terminal ON events (terminal, id) WHERE terminal IS NOT NULL;
  CREATE INDEX events_type ON events (type, id);
  `,
  `
  CREATE TABLE pairings (serial TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
  `,
  `
  ALTER TABLE ledger ADD COLUMN delivered INTEGER;
  ALTER TABLE pulls ADD COLUMN changed INTEGER;
  ALTER TABLE records ADD COLUMN former BLOB;

  CREATE TABLE conflicts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user INTEGER NOT NULL, kind TEXT NOT NULL, field INTEGER, terminal TEXT NOT NULL,
    state TEXT NOT NULL, opened INTEGER NOT NULL, closed INTEGER, made INTEGER, new_user INTEGER,
    data_key BLOB NOT NULL, sealed BLOB NOT NULL
  );
  CREATE INDEX conflicts_user ON conflicts (user);
  CREATE INDEX conflicts_state ON conflicts (state, kind, id);
  `,
  `
  ALTER TABLE pairings ADD COLUMN terminal TEXT NOT NULL DEFAULT '';
  `,
  `
  ALTER TABLE terminals ADD COLUMN doubt TEXT;
  ALTER TABLE pulls ADD COLUMN take TEXT;
  `,
  `
  CREATE TABLE accounts (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL, sealed BLOB NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE, kind TEXT NOT NULL,
    label TEXT NOT NULL, role TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, ends INTEGER NOT NULL,
    secret BLOB NOT NULL UNIQUE, refresh BLOB UNIQUE, spent BLOB UNIQUE
  ) WITHOUT ROWID;
  CREATE INDEX tokens_account ON tokens (account);
  `,
  `
  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT NULL, place TEXT NOT NULL, deed TEXT NOT NULL,
    target TEXT NOT NULL, detail TEXT NOT NULL, outcome TEXT NOT NULL, asked INTEGER, hash BLOB NOT NULL
  );
  CREATE INDEX audit_asked ON audit (asked) WHERE asked IS NOT NULL;
  `,
  `
  CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, state TEXT NOT NULL, job TEXT NOT NULL);
  `,
  `
  CREATE TABLE partials (
    terminal TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Data keys stand apart from what they seal: backups leave this table out. User 0 is the gateway itself; master says
  -- which master key a key is wrapped under.
  CREATE TABLE keys (id BLOB PRIMARY KEY, user INTEGER NOT NULL, master INTEGER NOT NULL, wrapped BLOB NOT NULL) WITHOUT ROWID;
  CREATE INDEX keys_user ON keys (user);
  CREATE INDEX keys_master ON keys (master);
  ALTER TABLE records ADD COLUMN key_id BLOB;
  ALTER TABLE conflicts ADD COLUMN key_id BLOB;
  UPDATE records SET key_id = randomblob(16);
  UPDATE conflicts SET key_id = randomblob(16);
  INSERT INTO keys SELECT key_id, user, 1, data_key FROM records;
  INSERT INTO keys SELECT key_id, user, 1, data_key FROM conflicts;
  UPDATE records SET data_key = key_id;
  UPDATE conflicts SET data_key = key_id;
  ALTER TABLE records DROP COLUMN key_id;
  ALTER TABLE conflicts DROP COLUMN key_id;
  ALTER TABLE records RENAME COLUMN data_key TO key;
  ALTER TABLE conflicts RENAME COLUMN data_key TO key;
  -- These were sealed by a master key itself; from now on by the gateway's own data key.
  DELETE FROM pairings;
  DELETE FROM accounts;
  DELETE FROM audit;
  DELETE FROM partials;
  DELETE FROM notes WHERE key = 'audit.head';

  -- Users who were erased. While a terminal still has to lose them, nothing of them is taken from it.
  CREATE TABLE erased (user INTEGER PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
  `,
  `
  -- Master keys that data keys were or are wrapped under, by what tells a key without telling anything of it. Two
  -- without an end: one is being changed for the other.
  CREATE TABLE masters (number INTEGER PRIMARY KEY, fit TEXT NOT NULL, since INTEGER, until INTEGER);
  INSERT INTO masters SELECT 1, value, NULL, NULL FROM notes WHERE key = 'vault.check';
  DELETE FROM notes WHERE key = 'vault.check';
  `,
  `
  -- An index that begins with the terminal costs each merge a page for every terminal: one serves both the lists and
  -- what is to be sent, and of the times only those of failures are kept in order.
  DROP INDEX ledger_due;
  DROP INDEX ledger_state;
  ALTER TABLE ledger DROP COLUMN due;
  CREATE INDEX ledger_queue ON ledger (terminal, state, want, user);
  CREATE INDEX ledger_retry ON ledger (terminal, want, next_try, user) WHERE state = 'failed' AND next_try IS NOT NULL;

  -- Most events have no source: they need not stand in the index that keeps sources unique.
  CREATE TABLE events_with_sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, type TEXT NOT NULL, line TEXT, terminal TEXT,
    user INTEGER, origin TEXT, data TEXT NOT NULL, source TEXT
  );
  INSERT INTO events_with_sources SELECT id, time, type, line, terminal, user, origin, data, source FROM events;
  DELETE FROM sqlite_sequence WHERE name = 'events_with_sources';
  INSERT INTO sqlite_sequence (name, seq) SELECT 'events_with_sources', seq FROM sqlite_sequence WHERE name = 'events';
  DROP TABLE events;
  ALTER TABLE events_with_sources RENAME TO events;
  CREATE INDEX events_user ON events (user, id) WHERE user IS NOT NULL;
  CREATE INDEX events_terminal ON events (terminal, id) WHERE terminal IS NOT NULL;
  CREATE INDEX events_type ON events (type, id);
  CREATE UNIQUE INDEX events_source ON events (source) WHERE source IS NOT NULL;
  `,
  `
  CREATE TABLE tasks (id INTEGER PRIMARY KEY AUTOINCREMENT, definition TEXT NOT NULL, changed INTEGER NOT NULL);
  CREATE TABLE operators (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
  CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, size INTEGER NOT NULL,
    digest BLOB NOT NULL, changed INTEGER NOT NULL
  );
  CREATE TABLE file_parts (
    file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE, part INTEGER NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (file, part)
  );
  CREATE TABLE syncs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, terminal TEXT NOT NULL, task INTEGER NOT NULL, state TEXT NOT NULL,
    sync TEXT NOT NULL
  );
  CREATE UNIQUE INDEX syncs_running ON syncs (terminal) WHERE state = 'running';
  CREATE INDEX syncs_terminal ON syncs (terminal, state, id);
  -- Answers to changes that portable terminals sent, until these have dropped them.
  CREATE TABLE sent (
    serial TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, result TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (serial, epoch, seq)
  ) WITHOUT ROWID;
  CREATE TABLE portables (terminal TEXT PRIMARY KEY) WITHOUT ROWID;
  `,
  `
  -- Who was deleted, for terminals that bring them back: marks are keyed hashes of what tells who they are.
  CREATE TABLE tombstones (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user INTEGER NOT NULL, time INTEGER NOT NULL, deleted_by TEXT NOT NULL,
    how TEXT NOT NULL, marks BLOB NOT NULL
  );
  CREATE INDEX tombstones_user ON tombstones (user);
  CREATE INDEX tombstones_time ON tombstones (time);
  ALTER TABLE terminals ADD COLUMN log_time INTEGER;
  `,
  `
  CREATE INDEX conflicts_closed ON conflicts (closed, id) WHERE state <> 'open';
  `,
  `
  -- Master and satellites. A gateway that has no role among others logs no changes.
  CREATE TABLE site_self (role TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE site_runs (number INTEGER PRIMARY KEY, id TEXT NOT NULL, seq INTEGER NOT NULL, event INTEGER NOT NULL);
  -- The last change of each user, in the order of the commits; that of one who is gone stays.
  CREATE TABLE site_changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, user INTEGER NOT NULL UNIQUE);
  CREATE TRIGGER user_added AFTER INSERT ON users WHEN EXISTS (SELECT 1 FROM site_self) BEGIN
    DELETE FROM site_changes WHERE user = new.id;
    INSERT INTO site_changes (user) VALUES (new.id);
  END;
  CREATE TRIGGER user_changed AFTER UPDATE OF version ON users WHEN EXISTS (SELECT 1 FROM site_self) BEGIN
    DELETE FROM site_changes WHERE user = new.id;
    INSERT INTO site_changes (user) VALUES (new.id);
  END;
  CREATE TRIGGER user_gone AFTER DELETE ON users WHEN EXISTS (SELECT 1 FROM site_self) BEGIN
    DELETE FROM site_changes WHERE user = old.id;
    INSERT INTO site_changes (user) VALUES (old.id);
    DELETE FROM site_bases WHERE user = old.id;
  END;

  CREATE TABLE sites (sync_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL);
  CREATE TABLE site_cursors (
    peer INTEGER NOT NULL, stream TEXT NOT NULL, run TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (peer, stream)
  ) WITHOUT ROWID;
  CREATE TABLE site_held (
    site INTEGER NOT NULL, user INTEGER NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (site, user)
  ) WITHOUT ROWID;
  CREATE TABLE site_bases (
    user INTEGER PRIMARY KEY, version INTEGER NOT NULL, local INTEGER NOT NULL, offered INTEGER NOT NULL,
    apart INTEGER NOT NULL, sealed BLOB NOT NULL
  );
  CREATE TABLE site_aside (
    peer INTEGER NOT NULL, user INTEGER NOT NULL, sealed BLOB NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,
    since INTEGER NOT NULL, attempts INTEGER NOT NULL, PRIMARY KEY (peer, user)
  ) WITHOUT ROWID;
  CREATE TABLE site_events (
    site INTEGER NOT NULL, run TEXT NOT NULL, id INTEGER NOT NULL, time INTEGER NOT NULL, type TEXT NOT NULL, line TEXT,
    terminal TEXT, user INTEGER, origin TEXT, data TEXT NOT NULL, PRIMARY KEY (site, run, id)
  ) WITHOUT ROWID;
  CREATE INDEX site_events_time ON site_events (time, site, id, run);
  CREATE INDEX site_events_user ON site_events (user, time) WHERE user IS NOT NULL;
  CREATE TRIGGER user_erased AFTER INSERT ON erased BEGIN
    UPDATE site_events SET user = NULL WHERE user = new.user;
    DELETE FROM site_aside WHERE user = new.user;
  END;
  CREATE TRIGGER user_erased_again AFTER UPDATE ON erased BEGIN
    UPDATE site_events SET user = NULL WHERE user = new.user;
    DELETE FROM site_aside WHERE user = new.user;
  END;
  `,
  `
  -- Which change made each user: who has the number of somebody who was deleted is another person.
  CREATE TABLE site_born (user INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
  INSERT INTO site_born (user, seq) SELECT user, seq FROM site_changes WHERE user IN (SELECT id FROM users);
  ALTER TABLE site_bases ADD COLUMN born TEXT NOT NULL DEFAULT '';
  -- Satellite: whom the master had it drop, for a master that forgets it.
  CREATE TABLE site_gone (
    user INTEGER PRIMARY KEY, born TEXT NOT NULL, time INTEGER NOT NULL, erased INTEGER NOT NULL
  );
  DROP TRIGGER user_added;
  CREATE TRIGGER user_added AFTER INSERT ON users WHEN EXISTS (SELECT 1 FROM site_self) BEGIN
    DELETE FROM site_changes WHERE user = new.id;
    INSERT INTO site_changes (user) VALUES (new.id);
    DELETE FROM site_born WHERE user = new.id;
    INSERT INTO site_born (user, seq) SELECT user, seq FROM site_changes WHERE user = new.id;
    DELETE FROM site_gone WHERE user = new.id;
  END;
  -- A satellite's master hears of what a merge did not take, though nothing of the user changed.
  CREATE TRIGGER conflict_opened AFTER INSERT ON conflicts WHEN new.state = 'open' AND new.kind <> 'two-people'
    AND EXISTS (SELECT 1 FROM site_self WHERE role = 'satellite') AND EXISTS (SELECT 1 FROM users WHERE id = new.user) BEGIN
    DELETE FROM site_changes WHERE user = new.user;
    INSERT INTO site_changes (user) VALUES (new.user);
  END;
  CREATE TRIGGER conflict_opened_again AFTER UPDATE ON conflicts WHEN new.state = 'open' AND new.kind <> 'two-people'
    AND EXISTS (SELECT 1 FROM site_self WHERE role = 'satellite') AND EXISTS (SELECT 1 FROM users WHERE id = new.user) BEGIN
    DELETE FROM site_changes WHERE user = new.user;
    INSERT INTO site_changes (user) VALUES (new.user);
  END;
  `,
  `
  -- What was written to a terminal, and its log has not shown yet, may be gone when it starts again.
  ALTER TABLE terminals ADD COLUMN unseen INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Which terminal holds whom, for the master: the last change of each, in the order of the commits.
  CREATE TABLE site_holding_log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, user INTEGER NOT NULL, terminal TEXT NOT NULL, UNIQUE (user, terminal)
  );
  CREATE TRIGGER holding_added AFTER INSERT ON ledger
  WHEN new.delivered IS NOT NULL AND EXISTS (SELECT 1 FROM site_self WHERE role = 'satellite') BEGIN
    DELETE FROM site_holding_log WHERE user = new.user AND terminal = new.terminal;
    INSERT INTO site_holding_log (user, terminal) VALUES (new.user, new.terminal);
  END;
  CREATE TRIGGER holding_changed AFTER UPDATE OF delivered ON ledger
  WHEN new.delivered IS NOT old.delivered AND EXISTS (SELECT 1 FROM site_self WHERE role = 'satellite') BEGIN
    DELETE FROM site_holding_log WHERE user = new.user AND terminal = new.terminal;
    INSERT INTO site_holding_log (user, terminal) VALUES (new.user, new.terminal);
  END;
  CREATE TRIGGER holding_gone AFTER DELETE ON ledger
  WHEN old.delivered IS NOT NULL AND EXISTS (SELECT 1 FROM site_self WHERE role = 'satellite') BEGIN
    DELETE FROM site_holding_log WHERE user = old.user AND terminal = old.terminal;
    INSERT INTO site_holding_log (user, terminal) VALUES (old.user, old.terminal);
  END;
  ALTER TABLE site_runs ADD COLUMN holding INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE site_holdings (
    site INTEGER NOT NULL, terminal TEXT NOT NULL, user INTEGER NOT NULL, checked INTEGER NOT NULL,
    PRIMARY KEY (site, terminal, user)
  ) WITHOUT ROWID;
  CREATE INDEX site_holdings_user ON site_holdings (user);
  CREATE TRIGGER held_erased AFTER INSERT ON erased BEGIN
    DELETE FROM site_holdings WHERE user = new.user;
  END;
  CREATE TRIGGER held_erased_again AFTER UPDATE ON erased BEGIN
    DELETE FROM site_holdings WHERE user = new.user;
  END;
  `,
  `
  ALTER TABLE site_bases ADD COLUMN at TEXT NOT NULL DEFAULT '';
  `,
  `
  -- What a site was called that told the events of a run: its sync id may be another one's by now.
  CREATE TABLE site_tellers (
    site INTEGER NOT NULL, run TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (site, run)
  ) WITHOUT ROWID;
  INSERT INTO site_tellers SELECT site, run, coalesce(name, value) FROM (SELECT DISTINCT site, run FROM site_events)
    LEFT JOIN sites ON sync_id = site LEFT JOIN notes ON key = 'site.former.' || site
    WHERE coalesce(name, value) IS NOT NULL;
  `,
  `
  -- Who was dropped is remembered, whoever has the number since: a master that forgot it would take both for one.
  DROP TRIGGER user_added;
  CREATE TRIGGER user_added AFTER INSERT ON users WHEN EXISTS (SELECT 1 FROM site_self) BEGIN
    DELETE FROM site_changes WHERE user = new.id; INSERT INTO site_changes (user) VALUES (new.id);
    DELETE FROM site_born WHERE user = new.id; INSERT INTO site_born (user, seq) SELECT user, seq FROM site_changes WHERE user = new.id;
  END;
  `,
];

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
