/** Many sites, and since, on SQLite: what makes each version from the one before. The next goes to the end. */
export const VERSIONS_FROM_16: readonly string[] = [
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
