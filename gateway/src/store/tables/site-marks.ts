import type { Keys } from '../keys.ts';
import type { Cursor, GoneUser, Progress, SiteBase, SiteEvent, SiteMark } from '../sites.ts';
import type { Row, Sqlite } from '../sqlite.ts';
import { readRecord, recordOf, WhorlError, writeRecord } from '@whorl/protocol';
import { MASTER_ID } from '../../settings/sites.ts';
import { wasErased } from './erased.ts';
import { bytes, number, text } from './rows.ts';
import { putHoldings } from './site-reports.ts';

// What is stored with users for other gateways.

/** To be called in a transaction, after the users that the marks speak of were written. */
export function putMarks(db: Sqlite, keys: Keys, marks: readonly SiteMark[]): void {
  for (const mark of marks) putMark(db, keys, mark);
}

function putMark(db: Sqlite, keys: Keys, mark: SiteMark): void {
  if ('peer' in mark && mark.peer !== MASTER_ID && db.roles?.holds(mark.peer) === false)
    throw new WhorlError('SITES_LINK', `another process speaks with site ${mark.peer} by now`);
  switch (mark.kind) {
    case 'base':
      putBase(db, keys, mark.user, mark.base);
      break;
    case 'cursor':
      putCursor(db, mark.peer, mark.stream, mark.cursor);
      break;
    case 'logged':
      db.put('DELETE FROM site_changes WHERE user = ?', mark.user);
      db.put('INSERT INTO site_changes (user) VALUES (?)', mark.user);
      break;
    case 'aside': {
      const { peer, user, code, reason, since } = mark.row;
      const sealed = keys.sealSecret(asidePlace(peer, user), mark.row.bytes);
      db.put(
        `INSERT INTO site_aside (peer, user, sealed, code, reason, since, attempts) VALUES (?, ?, ?, ?, ?, ?, 1)
         ON CONFLICT (peer, user) DO UPDATE SET sealed = excluded.sealed, code = excluded.code,
           reason = excluded.reason, attempts = site_aside.attempts + 1`,
        ...[peer, user, sealed, code, reason, since],
      );
      break;
    }
    case 'settled':
      db.put('DELETE FROM site_aside WHERE peer = ? AND user = ?', mark.peer, mark.user);
      break;
    case 'gone':
      putGone(db, mark.gone);
      break;
    case 'events':
      putEvents(db, mark.name, mark.events);
      break;
    case 'holdings':
      putHoldings(db, mark);
  }
}

export function asidePlace(peer: number, user: number): string {
  return `aside ${peer} ${user}`;
}

export function readCursor(db: Sqlite, peer: number, stream: Progress): Cursor | undefined {
  const row = db.get('SELECT run, seq FROM site_cursors WHERE peer = ? AND stream = ?', peer, stream);
  return row === undefined ? undefined : { run: text(row, 'run'), seq: number(row, 'seq') };
}

function putCursor(db: Sqlite, peer: number, stream: Progress, { run, seq }: Cursor): void {
  db.put(
    `INSERT INTO site_cursors (peer, stream, run, seq) VALUES (?, ?, ?, ?)
     ON CONFLICT (peer, stream) DO UPDATE SET run = excluded.run, seq = excluded.seq`,
    peer,
    stream,
    run,
    seq,
  );
}

/** Whoever told the first of a run has all of it: a gateway has one name from its start to its end. */
function putEvents(db: Sqlite, name: string, events: readonly SiteEvent[]): void {
  const runs = new Map(events.map(({ site, run }) => [`${site} ${run}`, [site, run] as const]));
  for (const [site, run] of runs.values())
    db.put(
      'INSERT INTO site_tellers (site, run, name) VALUES (?, ?, ?) ON CONFLICT (site, run) DO NOTHING',
      site,
      run,
      name,
    );
  for (const event of events) putEvent(db, event);
}

/** The same event again changes nothing; one who was erased since is not named again. */
function putEvent(db: Sqlite, { site, run, id, user, ...event }: SiteEvent): void {
  db.put(
    `INSERT INTO site_events (site, run, id, time, type, line, terminal, user, origin, data)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (site, run, id) DO NOTHING`,
    site,
    run,
    id,
    event.time,
    event.type,
    event.line ?? null,
    event.terminal ?? null,
    user === undefined || wasErased(db, user) ? null : user,
    event.origin ?? null,
    JSON.stringify(event.data),
  );
}

function putGone(db: Sqlite, { user, born, time, erased }: GoneUser): void {
  db.put('DELETE FROM site_gone WHERE user = ?', user);
  db.put(
    'INSERT INTO site_gone (user, born, time, erased) VALUES (?, ?, ?, ?)',
    ...[user, born, time, Number(erased)],
  );
}

export function goneUser(row: Row): GoneUser {
  return {
    ...{ user: number(row, 'user'), born: text(row, 'born'), time: number(row, 'time') },
    erased: number(row, 'erased') === 1,
  };
}

/** Digests of PINs and cards can be guessed at: they are sealed as the user is. */
function putBase(db: Sqlite, keys: Keys, user: number, base: SiteBase | undefined): void {
  db.put('DELETE FROM site_bases WHERE user = ?', user);
  const row = db.get('SELECT key FROM records WHERE user = ?', user);
  if (base === undefined || row === undefined) return;
  const { version, born, at, local, offered, apart, fields } = base;
  // Whom the master gives again, though it was reminded of them, somebody there wants.
  if (born !== '') db.put('DELETE FROM site_gone WHERE user = ? AND born LIKE ?', user, `${born} %`);
  const sealed = keys.seal(keys.key(bytes(row, 'key'), user), 'base', writeRecord(recordOf(user, fields)));
  db.put(
    `INSERT INTO site_bases (user, version, born, at, local, offered, apart, sealed)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[user, version, born, at, local, offered, Number(apart), sealed],
  );
}

/** @param row of site_bases and records */
export function siteBase(keys: Keys, row: Row): SiteBase {
  const user = number(row, 'user');
  const record = readRecord(keys.open(keys.key(bytes(row, 'key'), user), 'base', bytes(row, 'sealed')));
  return {
    version: number(row, 'version'),
    born: text(row, 'born'),
    at: text(row, 'at'),
    local: number(row, 'local'),
    offered: number(row, 'offered'),
    apart: number(row, 'apart') === 1,
    fields: record.fields,
  };
}
