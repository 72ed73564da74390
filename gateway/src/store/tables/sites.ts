import { isDeepStrictEqual } from 'node:util';
import type { Keys } from '../keys.ts';
import type {
  AsideFilter,
  AsideRow,
  Change,
  Cursor,
  GoneUser,
  HoldingChange,
  HoldingRow,
  Progress,
  ReportFilter,
  ReportRow,
  Run,
  SiteBase,
  SiteEvent,
  SiteEventFilter,
  SiteMark,
  SiteRole,
  SiteRow,
  SiteStore,
  Stream,
} from '../sites.ts';
import type { Row, Sqlite } from '../sqlite.ts';
import { bytes, number, text } from './rows.ts';
import { forgetSite, listSites, putSite, readSite } from './site-list.ts';
import { asidePlace, goneUser, putMarks, readCursor, siteBase } from './site-marks.ts';
import { holdingChanges, ownHoldings, ownReport, siteHoldings, siteReport, TELLER } from './site-reports.ts';
import { LIMIT, where } from './where.ts';

/** What a gateway remembers of the others, in SQLite: which steps make one transaction. */
export class SiteTables implements SiteStore {
  readonly #db: Sqlite;
  readonly #keys: Keys;

  constructor(db: Sqlite, keys: Keys) {
    this.#db = db;
    this.#keys = keys;
  }

  async begin(role: SiteRole, run: string): Promise<void> {
    const had = this.#db.get('SELECT role FROM site_self');
    if (role === 'standalone' && had === undefined) return;
    await this.#db.write(() => {
      if (role === 'standalone') {
        this.#db.run('DELETE FROM site_self');
        return;
      }
      this.#db.run('DELETE FROM site_self');
      this.#db.run('INSERT INTO site_self (role) VALUES (?)', role);
      // Changes of the time without a role are not in the log.
      if (had === undefined) {
        this.#db.run('DELETE FROM site_changes WHERE user IN (SELECT id FROM users)');
        this.#db.run('INSERT INTO site_changes (user) SELECT id FROM users ORDER BY changed, id');
        this.#db.run('DELETE FROM site_born');
        this.#db.run(
          'INSERT INTO site_born (user, seq) SELECT user, seq FROM site_changes WHERE user IN (SELECT id FROM users)',
        );
        this.#db.run('DELETE FROM site_holding_log');
        this.#db.run(
          `INSERT INTO site_holding_log (user, terminal) SELECT user, terminal FROM ledger
           WHERE delivered IS NOT NULL ORDER BY user, terminal`,
        );
      }
      const { users, events, holdings } = this.#heads();
      const begins = [run, users, events, holdings];
      this.#db.run('INSERT INTO site_runs (id, seq, event, holding) VALUES (?, ?, ?, ?)', ...begins);
    });
  }

  async runs(): Promise<readonly Run[]> {
    return this.#db.all('SELECT id, seq, event, holding FROM site_runs ORDER BY number').map((row) => ({
      ...{ id: text(row, 'id'), seq: number(row, 'seq'), event: number(row, 'event') },
      holding: number(row, 'holding'),
    }));
  }

  heads(): Promise<Readonly<Record<Stream, number>>> {
    // Of several processes another may have taken a number that it has not committed: its turn is waited for.
    return this.#db.roles === undefined
      ? Promise.resolve(this.#heads())
      : this.#db.write(() => this.#heads());
  }

  async sites(): Promise<readonly SiteRow[]> {
    return listSites(this.#db, this.#keys);
  }

  saveSite(site: SiteRow, from?: SiteRow): Promise<boolean> {
    return this.#db.write(() => {
      const stands = readSite(this.#db, this.#keys, site.syncId);
      if (!isDeepStrictEqual(stands, from)) return false;
      putSite(this.#db, this.#keys, site);
      // Whoever was removed may have been heard of a moment later.
      if (from === undefined) forgetSite(this.#db, site.syncId);
      return true;
    });
  }

  removeSite(syncId: number): Promise<void> {
    return this.#db.write(() => {
      this.#db.run('DELETE FROM sites WHERE sync_id = ?', syncId);
      forgetSite(this.#db, syncId);
    });
  }

  resetSite(syncId: number): Promise<void> {
    return this.#db.write(() => {
      const site = readSite(this.#db, this.#keys, syncId);
      if (site !== undefined) {
        const { binding: _, ...unbound } = site;
        putSite(this.#db, this.#keys, unbound);
      }
      forgetSite(this.#db, syncId);
    });
  }

  async changes(after: number, limit: number): Promise<readonly Change[]> {
    const sql = `SELECT seq, user FROM site_changes WHERE seq > ? ORDER BY seq ${LIMIT}`;
    return this.#db.all(sql, after, limit).map(change);
  }

  async changesBefore(before: number, limit: number): Promise<readonly Change[]> {
    const sql = `SELECT seq, user FROM site_changes WHERE seq < ? ORDER BY seq DESC ${LIMIT}`;
    return this.#db.all(sql, before, limit).map(change);
  }

  async countChanges(after: number, until: number): Promise<number> {
    return this.#count('SELECT count(*) AS count FROM site_changes WHERE seq > ? AND seq <= ?', after, until);
  }

  async born(users: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const sql = 'SELECT user, seq FROM site_born WHERE user IN (SELECT value FROM json_each(?))';
    return new Map(
      this.#db.all(sql, JSON.stringify(users)).map((row) => [number(row, 'user'), number(row, 'seq')]),
    );
  }

  async erased(users: readonly number[]): Promise<readonly number[]> {
    const sql = 'SELECT user FROM erased WHERE user IN (SELECT value FROM json_each(?))';
    return this.#db.all(sql, JSON.stringify(users)).map((row) => number(row, 'user'));
  }

  async cursor(peer: number, stream: Progress): Promise<Cursor | undefined> {
    return readCursor(this.#db, peer, stream);
  }

  mark(marks: readonly SiteMark[]): Promise<void> {
    return this.#db.write(() => putMarks(this.#db, this.#keys, marks));
  }

  async held(site: number, users: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const rows = this.#db.all(
      'SELECT user, version FROM site_held WHERE site = ? AND user IN (SELECT value FROM json_each(?))',
      site,
      JSON.stringify(users),
    );
    return new Map(rows.map((row) => [number(row, 'user'), number(row, 'version')]));
  }

  async saveHeld(site: number, versions: ReadonlyMap<number, number>): Promise<void> {
    // Most exchanges bring nothing, and a commit waits for the disk.
    if (versions.size === 0) return;
    return this.#db.write(() => {
      for (const [user, version] of versions)
        this.#db.run(
          `INSERT INTO site_held (site, user, version) VALUES (?, ?, ?)
           ON CONFLICT (site, user) DO UPDATE SET version = excluded.version`,
          site,
          user,
          version,
        );
    });
  }

  forgetHeld(site: number): Promise<void> {
    return this.#db.write(() => {
      this.#db.run('DELETE FROM site_held WHERE site = ?', site);
    });
  }

  doubtHeld(site: number): Promise<void> {
    return this.#db.write(() => {
      this.#db.run('UPDATE site_held SET version = 0 WHERE site = ? AND version > 0', site);
    });
  }

  async countHeld(site: number): Promise<number> {
    return this.#count('SELECT count(*) AS count FROM site_held WHERE site = ? AND version > 0', site);
  }

  async bases(users: readonly number[]): Promise<ReadonlyMap<number, SiteBase>> {
    const rows = this.#db.all(
      `SELECT site_bases.*, key FROM site_bases JOIN records USING (user)
       WHERE user IN (SELECT value FROM json_each(?))`,
      JSON.stringify(users),
    );
    return new Map(rows.map((row) => [number(row, 'user'), siteBase(this.#keys, row)]));
  }

  async baseUsers(after: number, limit: number): Promise<readonly number[]> {
    const sql = `SELECT user FROM site_bases WHERE user > ? ORDER BY user ${LIMIT}`;
    return this.#db.all(sql, after, limit).map((row) => number(row, 'user'));
  }

  async gone(after: number, limit: number): Promise<readonly GoneUser[]> {
    const sql = `SELECT * FROM site_gone WHERE user > ? ORDER BY user ${LIMIT}`;
    return this.#db.all(sql, after, limit).map(goneUser);
  }

  async aside({ by, peer: of, after, but, limit }: AsideFilter): Promise<readonly AsideRow[]> {
    const { sql, values } = where([
      ['peer = ?', of],
      ['user > ?', after],
      ['code <> ?', but],
    ]);
    const found = this.#db.all(
      `SELECT * FROM site_aside ${sql} ORDER BY ${by}, peer, user ${LIMIT}`,
      ...values,
      limit,
    );
    return found.map((row) => {
      const [peer, user] = [number(row, 'peer'), number(row, 'user')];
      return {
        ...{ peer, user, code: text(row, 'code'), reason: text(row, 'reason') },
        ...{ since: number(row, 'since'), attempts: number(row, 'attempts') },
        bytes: this.#keys.openSecret(asidePlace(peer, user), bytes(row, 'sealed')),
      };
    });
  }

  async countAside(): Promise<number> {
    return this.#count('SELECT count(*) AS count FROM site_aside');
  }

  async siteEvents(filter: SiteEventFilter): Promise<readonly SiteEvent[]> {
    const { sql, values } = where([
      ['site = ?', filter.site],
      ['user = ?', filter.user],
      ['terminal = ?', filter.terminal],
      ['type = ?', filter.type],
      ['time >= ?', filter.from],
      ['time < ?', filter.until],
    ]);
    const { before } = filter;
    const behind = before === undefined ? '' : `${sql === '' ? 'WHERE' : 'AND'} (time, site, id) < (?, ?, ?)`;
    const place = before === undefined ? [] : [before.time, before.site, before.id];
    return this.#db
      .all(
        `SELECT *, ${TELLER} AS name FROM site_events ${sql} ${behind} ORDER BY time DESC, site DESC, id DESC ${LIMIT}`,
        ...values,
        ...place,
        filter.limit,
      )
      .map(siteEvent);
  }

  async tellers(): Promise<readonly string[]> {
    return this.#db
      .all('SELECT DISTINCT name FROM site_tellers ORDER BY name')
      .map((row) => text(row, 'name'));
  }

  async holdingChanges(after: number, limit: number): Promise<readonly HoldingChange[]> {
    return holdingChanges(this.#db, after, limit);
  }

  async ownReport(filter: ReportFilter): Promise<readonly ReportRow[]> {
    return ownReport(this.#db, filter);
  }

  async siteReport(filter: ReportFilter): Promise<readonly ReportRow[]> {
    return siteReport(this.#db, filter);
  }

  async ownHoldings(after: HoldingRow | undefined, limit: number): Promise<readonly HoldingRow[]> {
    return ownHoldings(this.#db, after, limit);
  }

  async siteHoldings(
    site: number,
    after: HoldingRow | undefined,
    limit: number,
  ): Promise<readonly HoldingRow[]> {
    return siteHoldings(this.#db, site, after, limit);
  }

  #heads(): Readonly<Record<Stream, number>> {
    const last = (table: string): number =>
      number(
        this.#db.get('SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0) AS seq', table) ??
          {},
        'seq',
      );
    return { users: last('site_changes'), events: last('events'), holdings: last('site_holding_log') };
  }

  #count(sql: string, ...values: number[]): number {
    return number(this.#db.get(sql, ...values) ?? {}, 'count');
  }
}

function change(row: Row): Change {
  return { seq: number(row, 'seq'), user: number(row, 'user') };
}

function siteEvent(row: Row): SiteEvent {
  const of = (column: string): object => (row[column] === null ? {} : { [column]: row[column] });
  return {
    ...{
      site: number(row, 'site'),
      run: text(row, 'run'),
      id: number(row, 'id'),
      time: number(row, 'time'),
      type: text(row, 'type'),
    },
    ...of('name'),
    ...of('line'),
    ...of('terminal'),
    ...of('user'),
    ...of('origin'),
    data: JSON.parse(text(row, 'data')) as Record<string, unknown>,
  };
}
