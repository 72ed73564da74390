/** One site, on SQLite: what makes each of the first 15 versions from the one before. */
export const VERSIONS_1_TO_15: readonly string[] = [
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
];
