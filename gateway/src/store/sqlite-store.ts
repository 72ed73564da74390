import { readRecord, writeRecord } from '@whorl/protocol';
import type { NewEvent, StoredEvent } from '../events/catalogue.ts';
import { runtimeSettingsSchema } from '../settings/runtime.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';
import { bytes, ledgerRow, number, provenanceOf, provenanceText, pullRequest, text } from './rows.ts';
import { countLedger, listEvents, listLedger, listUsers } from './questions.ts';
import { shownGroups, shownName } from './shown.ts';
import type { Sqlite } from './sqlite.ts';
import type {
  EventFilter,
  Intake,
  LedgerCounts,
  LedgerFilter,
  LedgerResult,
  LedgerRow,
  PullRequest,
  Store,
  StoredUser,
  TerminalRow,
  UserChange,
  UserFilter,
  UserSummary,
} from './store.ts';
import type { Vault } from './vault.ts';

/** The gateway's memory in SQLite. */
export class SqliteStore implements Store {
  readonly #db: Sqlite;
  readonly #vault: Vault;

  constructor(db: Sqlite, vault: Vault) {
    this.#db = db;
    this.#vault = vault;
  }

  async settings(): Promise<Partial<RuntimeSettings>> {
    const rows = this.#db.all('SELECT key, value FROM settings');
    return runtimeSettingsSchema
      .partial()
      .parse(
        Object.fromEntries(rows.map((row) => [text(row, 'key'), JSON.parse(text(row, 'value'))])),
      ) as Partial<RuntimeSettings>;
  }

  saveSettings(
    changes: Partial<RuntimeSettings>,
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      for (const [key, value] of Object.entries(changes)) {
        this.#db.run(
          'INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
          key,
          JSON.stringify(value),
        );
      }
      return this.#insertEvents(events);
    });
  }

  async note(key: string): Promise<string | undefined> {
    const row = this.#db.get('SELECT value FROM notes WHERE key = ?', key);
    return row === undefined ? undefined : text(row, 'value');
  }

  saveNote(key: string, value: string | undefined): Promise<void> {
    return this.#db.write(() => {
      if (value === undefined) this.#db.run('DELETE FROM notes WHERE key = ?', key);
      else
        this.#db.run(
          'INSERT INTO notes VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
          key,
          value,
        );
    });
  }

  async terminals(): Promise<readonly TerminalRow[]> {
    return this.#db.all('SELECT * FROM terminals').map((row) => ({
      name: text(row, 'name'),
      serial: text(row, 'serial'),
      position: { epoch: number(row, 'epoch'), id: number(row, 'log') },
    }));
  }

  saveTerminal(row: TerminalRow, events: readonly NewEvent[]): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      this.#upsertTerminal(row);
      return this.#insertEvents(events);
    });
  }

  recordIntake(intake: Intake): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      const events = this.#insertEvents(intake.events);
      for (const { user, log } of intake.pulls)
        this.#openPull({ user, log, terminal: intake.terminal, attempts: 0, nextTry: intake.time });
      for (const row of intake.ledger) if (this.#exists(row.user)) this.#putLedger(row);
      this.#upsertTerminal({ name: intake.terminal, serial: intake.serial, position: intake.position });
      return events;
    });
  }

  addEvents(events: readonly NewEvent[]): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => this.#insertEvents(events));
  }

  async events(filter: EventFilter): Promise<readonly StoredEvent[]> {
    return listEvents(this.#db, filter);
  }

  async user(id: number): Promise<StoredUser | undefined> {
    const row = this.#db.get('SELECT version, provenance, data_key, sealed FROM users WHERE id = ?', id);
    if (row === undefined) return undefined;
    const version = number(row, 'version');
    const record = readRecord(this.#vault.open(bytes(row, 'data_key'), id, version, bytes(row, 'sealed')));
    return { record, version, provenance: provenanceOf(row) };
  }

  async users(filter: UserFilter): Promise<readonly UserSummary[]> {
    return listUsers(this.#db, filter);
  }

  async countUsers(): Promise<number> {
    return number(this.#db.get('SELECT count(*) AS count FROM users') ?? {}, 'count');
  }

  saveUser(change: UserChange): Promise<readonly StoredEvent[] | undefined> {
    return this.#db.write(() => {
      const held = this.#db.get('SELECT version, data_key FROM users WHERE id = ?', change.user);
      if ((held === undefined ? 0 : number(held, 'version')) !== change.from) return undefined;
      if (change.next === undefined) this.#db.run('DELETE FROM users WHERE id = ?', change.user);
      else if (change.next.version !== change.from)
        this.#putUser(
          change.user,
          change.next,
          change.time,
          held === undefined ? undefined : bytes(held, 'data_key'),
        );
      for (const row of change.ledger) this.#putLedger(row);
      if (change.pull !== undefined) {
        this.#db.run(
          'DELETE FROM pulls WHERE terminal = ? AND user = ? AND log <= ?',
          change.pull.terminal,
          change.user,
          change.pull.log,
        );
      }
      return this.#insertEvents(change.events);
    });
  }

  async duePulls(terminal: string, now: number, limit: number): Promise<readonly PullRequest[]> {
    return this.#db
      .all(
        'SELECT * FROM pulls WHERE terminal = ? AND next_try <= ? ORDER BY next_try, log LIMIT ?',
        terminal,
        now,
        limit,
      )
      .map(pullRequest);
  }

  async nextDue(terminal: string, now: number): Promise<number | undefined> {
    const row = this.#db.get(
      `SELECT min(due) AS due FROM (
         SELECT min(next_try) AS due FROM pulls WHERE terminal = ?1 AND next_try > ?2
         UNION ALL SELECT min(next_try) FROM ledger WHERE terminal = ?1 AND next_try > ?2)`,
      terminal,
      now,
    );
    return row?.['due'] === null || row === undefined ? undefined : number(row, 'due');
  }

  async openPulls(limit: number): Promise<readonly PullRequest[]> {
    return this.#db.all('SELECT * FROM pulls ORDER BY terminal, user LIMIT ?', limit).map(pullRequest);
  }

  requestPull(pull: PullRequest): Promise<void> {
    return this.#db.write(() => {
      this.#openPull(pull);
    });
  }

  postponePull(
    pull: Parameters<Store['postponePull']>[0],
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      const { user, terminal, log, attempts, nextTry } = pull;
      if (nextTry === undefined)
        this.#db.run('DELETE FROM pulls WHERE terminal = ? AND user = ? AND log <= ?', terminal, user, log);
      else
        this.#db.run(
          'UPDATE pulls SET attempts = ?, next_try = ? WHERE terminal = ? AND user = ? AND log <= ?',
          attempts,
          nextTry,
          terminal,
          user,
          log,
        );
      return this.#insertEvents(events);
    });
  }

  async dueLedger(terminal: string, now: number, limit: number): Promise<readonly LedgerRow[]> {
    const rows = this.#db.all(
      `SELECT * FROM ledger WHERE terminal = ?1 AND next_try <= ?2
         AND NOT EXISTS (SELECT 1 FROM pulls WHERE pulls.terminal = ?1 AND pulls.user = ledger.user)
       ORDER BY next_try, user LIMIT ?3`,
      terminal,
      now,
      limit,
    );
    return rows.map(ledgerRow).sort((a, b) => Number(b.want === 'absent') - Number(a.want === 'absent'));
  }

  markSending(terminal: string, rows: readonly LedgerRow[]): Promise<void> {
    return this.#db.write(() => {
      for (const row of rows) {
        this.#db.run(
          `UPDATE ledger SET state = 'sending', version = ?, next_try = NULL WHERE user = ? AND terminal = ? AND want = ? AND version <= ?`,
          row.version,
          row.user,
          terminal,
          row.want,
          row.version,
        );
      }
    });
  }

  settleLedger(
    terminal: string,
    results: readonly LedgerResult[],
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      for (const result of results) this.#settle(terminal, result);
      return this.#insertEvents(events);
    });
  }

  writeLedger(rows: readonly LedgerRow[]): Promise<void> {
    return this.#db.write(() => {
      for (const row of rows) if (row.want === 'absent' || this.#exists(row.user)) this.#putLedger(row);
    });
  }

  readmit(terminal: string): Promise<void> {
    return this.#db.write(() => {
      this.#db.run(
        `UPDATE ledger SET state = 'pending', attempts = 0, next_try = 0, reason = NULL
         WHERE terminal = ?1 AND (state = 'sending' OR (state = 'failed' AND reason = 'unreachable'))`,
        terminal,
      );
      this.#db.run('UPDATE pulls SET next_try = 0 WHERE terminal = ?', terminal);
    });
  }

  async ledger(filter: LedgerFilter): Promise<readonly LedgerRow[]> {
    return listLedger(this.#db, filter);
  }

  async ledgerOf(users: readonly number[]): Promise<readonly LedgerRow[]> {
    return this.#db
      .all('SELECT * FROM ledger WHERE user IN (SELECT value FROM json_each(?))', JSON.stringify(users))
      .map(ledgerRow);
  }

  async ledgerCounts(): Promise<ReadonlyMap<string, LedgerCounts>> {
    return countLedger(this.#db);
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #exists(user: number): boolean {
    return this.#db.get('SELECT 1 FROM users WHERE id = ?', user) !== undefined;
  }

  #putUser(id: number, user: StoredUser, changed: number, key: Uint8Array | undefined): void {
    const wrapped = key ?? this.#vault.newKey(id);
    const sealed = this.#vault.seal(wrapped, id, user.version, writeRecord(user.record));
    this.#db.run(
      `INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version,
         name = excluded.name, groups = excluded.groups, fields = excluded.fields, changed = excluded.changed,
         provenance = excluded.provenance, sealed = excluded.sealed`,
      id,
      user.version,
      shownName(user.record),
      JSON.stringify(shownGroups(user.record)),
      JSON.stringify([...user.record.fields.keys()]),
      changed,
      provenanceText(user.provenance),
      wrapped,
      sealed,
    );
  }

  #putLedger(row: LedgerRow): void {
    this.#db.run(
      `INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user, terminal) DO UPDATE SET want = excluded.want,
         state = excluded.state, version = excluded.version, reason = excluded.reason, attempts = excluded.attempts,
         next_try = excluded.next_try, checked = coalesce(excluded.checked, checked)`,
      row.user,
      row.terminal,
      row.want,
      row.state,
      row.version,
      row.reason ?? null,
      row.attempts,
      row.nextTry ?? null,
      row.checked ?? null,
    );
  }

  #settle(terminal: string, result: LedgerResult): void {
    const at = [result.user, terminal, result.want, result.version] as const;
    if (result.want === 'absent' && result.state === 'verified') {
      this.#db.run('DELETE FROM ledger WHERE user = ? AND terminal = ? AND want = ? AND version = ?', ...at);
      return;
    }
    this.#db.run(
      `UPDATE ledger SET state = ?, reason = ?, attempts = ?, next_try = ?, checked = coalesce(?, checked)
       WHERE user = ? AND terminal = ? AND want = ? AND version = ? AND state = 'sending'`,
      result.state,
      result.reason ?? null,
      result.attempts,
      result.nextTry ?? null,
      result.checked ?? null,
      ...at,
    );
  }

  #openPull(pull: PullRequest): void {
    this.#db.run(
      `INSERT INTO pulls VALUES (?, ?, ?, ?, ?) ON CONFLICT (terminal, user) DO UPDATE SET log = excluded.log,
         attempts = excluded.attempts, next_try = excluded.next_try WHERE excluded.log > log OR excluded.log = 0`,
      pull.terminal,
      pull.user,
      pull.log,
      pull.attempts,
      pull.nextTry,
    );
  }

  #upsertTerminal({ name, serial, position }: TerminalRow): void {
    this.#db.run(
      `INSERT INTO terminals VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET serial = excluded.serial, epoch = excluded.epoch, log = excluded.log`,
      name,
      serial,
      position.epoch,
      position.id,
    );
  }

  #insertEvents(events: readonly NewEvent[]): StoredEvent[] {
    const stored: StoredEvent[] = [];
    for (const event of events) {
      const row = this.#db.get(
        `INSERT INTO events (time, type, line, terminal, user, origin, data, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (source) DO NOTHING RETURNING id`,
        event.time,
        event.type,
        event.line ?? null,
        event.terminal ?? null,
        event.user ?? null,
        event.origin ?? null,
        JSON.stringify(event.data),
        event.source ?? null,
      );
      if (row !== undefined) stored.push({ ...event, id: number(row, 'id') });
    }
    return stored;
  }
}
