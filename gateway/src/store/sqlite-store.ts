import type { Doubt, NewEvent, StoredEvent } from '../events/catalogue.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { EventFilter, UserFilter } from './filters.ts';
import type { Sqlite } from './sqlite.ts';
import type {
  Comparing,
  Conflict,
  ConflictFilter,
  ConflictSummary,
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
  UserSummary,
} from './store.ts';
import type { AccessStore } from './access.ts';
import type { AuditStore } from './audit.ts';
import type { JobStore } from './jobs.ts';
import type { Spill } from './tables/spill.ts';
import { JobTable } from './tables/jobs.ts';
import type { MemberStore } from './members.ts';
import type { PartialStore } from './partials.ts';
import { putMarks } from './tables/site-marks.ts';
import { SiteTables } from './tables/sites.ts';
import type { SiteStore } from './sites.ts';
import { PartialTable } from './tables/partials.ts';
import type { BackupStore } from './backup.ts';
import type { Pairing } from './pairing.ts';
import { bury, TombstoneTable, unbury } from './tables/tombstones.ts';
import type { TombstoneStore } from './tombstones.ts';
import { VersionTable } from './tables/versions.ts';
import type { VersionStore } from './versions.ts';
import type { VaultStore } from './vault-store.ts';
import { AuditTable } from './tables/audit.ts';
import { AccessTables } from './tables/access.ts';
import * as conflicts from './tables/conflicts.ts';
import { losing, withoutErased } from './tables/erased.ts';
import { insertEvents, listEvents } from './tables/events.ts';
import * as ledger from './tables/ledger.ts';
import { listLedger } from './tables/ledger-list.ts';
import * as pairings from './tables/pairings.ts';
import * as pulls from './tables/pulls.ts';
import * as small from './tables/small.ts';
import * as users from './tables/users.ts';
import type { Keys } from './keys.ts';
import { SqliteTaskStore } from './task-store.ts';
import { putSent } from './tables/syncs.ts';
import type { TaskStore } from './tasks.ts';

/** Doubts about a terminal that may hold nothing of what was delivered. */
const ANEW: readonly Doubt[] = ['new', 'reset', 'replaced', 'backwards'];

/** The gateway's memory in SQLite: which steps make one transaction. The statements are in tables/. */
export class SqliteStore implements Store {
  readonly access: AccessStore;
  readonly audit: AuditStore;
  readonly jobs: JobStore;
  readonly members: MemberStore;
  readonly partials: PartialStore;
  readonly sites: SiteStore;
  readonly backups: BackupStore;
  readonly versions: VersionStore;
  readonly vault: VaultStore;
  readonly spill: Spill;
  readonly tasks: TaskStore;
  readonly tombstones: TombstoneStore;
  readonly #db: Sqlite;
  readonly #keys: Keys;

  constructor(
    db: Sqlite,
    keys: Keys,
    {
      backups,
      vault,
      spill,
      members,
    }: Pick<Store, 'backups' | 'members' | 'vault'> & { readonly spill: Spill },
  ) {
    this.backups = backups;
    this.members = members;
    this.vault = vault;
    this.spill = spill;
    this.#db = db;
    this.jobs = new JobTable(db);
    this.versions = new VersionTable(db);
    this.tombstones = new TombstoneTable(db, keys);
    this.partials = new PartialTable(db, keys);
    this.sites = new SiteTables(db, keys);
    this.#keys = keys;
    this.tasks = new SqliteTaskStore(db, keys);
    this.access = new AccessTables(db, keys);
    this.audit = new AuditTable(db, keys);
  }

  async settings(): Promise<Partial<RuntimeSettings>> {
    return small.settings(this.#db);
  }

  saveSettings(
    changes: Partial<RuntimeSettings>,
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      small.putSettings(this.#db, changes);
      return insertEvents(this.#db, events);
    });
  }

  async pairings(): Promise<ReadonlyMap<string, Pairing>> {
    return pairings.pairings(this.#db, this.#keys);
  }

  savePairings(
    changes: ReadonlyMap<string, Pairing | undefined>,
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      for (const [serial, pairing] of changes) pairings.putPairing(this.#db, this.#keys, serial, pairing);
      return insertEvents(this.#db, events);
    });
  }

  async note(key: string): Promise<string | undefined> {
    return small.note(this.#db, key);
  }

  saveNote(key: string, value: string | undefined): Promise<void> {
    return this.#db.write(() => {
      small.putNote(this.#db, key, value);
    });
  }

  async secretNote(key: string): Promise<string | undefined> {
    return small.secretNote(this.#db, this.#keys, key);
  }

  saveSecretNote(key: string, value: string): Promise<void> {
    return this.#db.write(() => {
      small.putSecretNote(this.#db, this.#keys, key, value);
    });
  }

  async terminals(): Promise<readonly TerminalRow[]> {
    return small.terminals(this.#db);
  }

  saveTerminal(row: TerminalRow, events: readonly NewEvent[]): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      small.putTerminal(this.#db, row);
      if (ANEW.some((doubt) => doubt === row.doubt)) ledger.forgetDelivered(this.#db, row.name);
      return insertEvents(this.#db, events);
    });
  }

  settleComparison(comparing: Comparing): Promise<readonly StoredEvent[]> {
    const { terminal, take, events, time: nextTry } = comparing;
    const pull = { terminal, log: 0, attempts: 0, nextTry, ...(take === undefined ? {} : { take }) };
    return this.#db.write(() => {
      this.#putLedger(comparing.ledger.filter((row) => ledger.isStill(this.#db, row)));
      const lost = losing(this.#db, terminal);
      for (const user of comparing.pulls.filter((one) => !lost(one)))
        pulls.requestPull(this.#db, { ...pull, user });
      if (comparing.endsDoubt) small.endDoubt(this.#db, terminal);
      return insertEvents(this.#db, events);
    });
  }

  recordIntake(intake: Intake): Promise<readonly StoredEvent[]> {
    const { terminal, serial, position, time, doubt } = intake;
    return this.#db.write(() => {
      const lost = losing(this.#db, terminal);
      const events = insertEvents(this.#db, intake.events.map(withoutErased(lost)));
      const fresh = new Set(events.map((event) => event.source));
      const isNew = ({ source }: { readonly source?: string }): boolean =>
        source === undefined || fresh.has(source);
      for (const pull of intake.pulls.filter((one) => isNew(one) && !lost(one.user)))
        pulls.openPull(this.#db, { ...pull, terminal, attempts: 0, nextTry: time }, intake.untaken !== true);
      for (const row of intake.ledger.filter(isNew)) {
        pulls.movePull(this.#db, { ...row, nextTry: time });
        if (users.hasUser(this.#db, row.user)) ledger.putLedger(this.#db, row);
      }
      small.putTerminal(this.#db, {
        ...{ name: terminal, serial, position },
        ...(doubt === undefined ? {} : { doubt }),
      });
      if (intake.shown) small.putUnseen(this.#db, terminal, false);
      return events;
    });
  }

  addEvents(events: readonly NewEvent[]): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => insertEvents(this.#db, events));
  }

  async events(filter: EventFilter): Promise<readonly StoredEvent[]> {
    return listEvents(this.#db, filter);
  }

  async user(id: number): Promise<StoredUser | undefined> {
    return users.readUser(this.#db, this.#keys, id);
  }

  async users(filter: UserFilter): Promise<readonly UserSummary[]> {
    return users.listUsers(this.#db, filter);
  }

  async countUsers(): Promise<number> {
    return users.countUsers(this.#db);
  }

  saveUser(change: UserChange): Promise<readonly StoredEvent[] | undefined> {
    return this.saveUsers([change]);
  }

  saveUsers(changes: readonly UserChange[]): Promise<readonly StoredEvent[] | undefined> {
    return this.#db.write(() => {
      const stand = changes.every(
        ({ user, from, conflicts: writes = [] }) =>
          (users.heldUser(this.#db, user)?.version ?? 0) === from &&
          conflicts.conflictsStand(this.#db, writes),
      );
      return stand ? changes.flatMap((change) => this.#saveUser(change)) : undefined;
    });
  }

  #saveUser(change: UserChange): StoredEvent[] {
    const { user: id, from, next, time, pull, sent, conflicts: writes = [] } = change;
    // It was fetched before the user was erased.
    if (pull !== undefined && losing(this.#db, pull.terminal)(id)) return [];
    if (sent !== undefined && losing(this.#db, sent.terminal)(id)) {
      putSent(this.#db, { ...sent, answer: { result: 'refused', reason: 'The user was erased.' } });
      return [];
    }
    const isDeletion = next === undefined || change.deletedBy !== undefined;
    if (isDeletion) {
      this.#bury(change);
      users.deleteUser(this.#db, id);
      conflicts.deleteConflicts(
        this.#db,
        id,
        writes.flatMap((write) => write.id ?? []),
      );
    }
    if (next !== undefined && next.version !== from) {
      if (from === 0 || isDeletion) {
        unbury(this.#db, this.#keys, next.record);
        ledger.passNumberOn(this.#db, id);
      }
      users.putUser(this.#db, this.#keys, { id, next, changed: time }, users.heldUser(this.#db, id)?.key);
    }
    for (const row of change.ledger) ledger.putLedger(this.#db, row);
    if (pull !== undefined) pulls.closePull(this.#db, pull.terminal, id, pull.log);
    if (sent !== undefined) putSent(this.#db, sent);
    if (change.sites !== undefined) putMarks(this.#db, this.#keys, change.sites);
    const events = [
      ...insertEvents(this.#db, change.events),
      ...writes.flatMap((write) => conflicts.putConflict(this.#db, this.#keys, write)),
    ];
    conflicts.forgetDecided(this.#db, writes);
    return events;
  }

  #bury({ user, time, deletedBy: by, next }: UserChange): void {
    if (by === undefined) return;
    const held = users.readUser(this.#db, this.#keys, user);
    bury(this.#db, this.#keys, { user, time, by, how: 'deleted' }, held, next?.record);
  }

  async freeUser(): Promise<number> {
    return users.freeUser(this.#db);
  }

  async conflicts(filter: ConflictFilter): Promise<readonly ConflictSummary[]> {
    return conflicts.listConflicts(this.#db, filter);
  }

  async conflict(id: number): Promise<Conflict | undefined> {
    return conflicts.conflict(this.#db, this.#keys, id);
  }

  async conflictsOf(user: number): Promise<readonly Conflict[]> {
    return conflicts.conflictsOf(this.#db, this.#keys, user);
  }

  async countConflicts(): Promise<number> {
    return conflicts.countConflicts(this.#db);
  }

  async duePulls(terminal: string, now: number, limit: number): Promise<readonly PullRequest[]> {
    return pulls.duePulls(this.#db, terminal, now, limit);
  }

  async nextDue(terminal: string, now: number): Promise<number | undefined> {
    return ledger.nextDue(this.#db, terminal, now);
  }

  async pullCounts(): Promise<ReadonlyMap<string, number>> {
    return pulls.pullCounts(this.#db);
  }

  async openPulls(limit: number): Promise<readonly PullRequest[]> {
    return pulls.openPulls(this.#db, limit);
  }

  requestPull(pull: PullRequest): Promise<void> {
    return this.#db.write(() => {
      if (!losing(this.#db, pull.terminal)(pull.user)) pulls.requestPull(this.#db, pull);
    });
  }

  releasePulls(now: number): Promise<void> {
    return this.#db.write(() => {
      pulls.releasePulls(this.#db, now);
    });
  }

  postponePull(
    pull: Parameters<Store['postponePull']>[0],
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      pulls.postponePull(this.#db, pull);
      return insertEvents(this.#db, events);
    });
  }

  async dueLedger(terminal: string, now: number, limit: number): Promise<readonly LedgerRow[]> {
    return ledger.dueLedger(this.#db, terminal, now, limit);
  }

  markSending(terminal: string, rows: readonly LedgerRow[]): Promise<void> {
    return this.#db.write(() => {
      for (const row of rows) ledger.markSending(this.#db, terminal, row);
    });
  }

  settleLedger(
    terminal: string,
    results: readonly LedgerResult[],
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      for (const result of results) ledger.settleRow(this.#db, terminal, result);
      if (results.some(({ state }) => state === 'verified')) small.putUnseen(this.#db, terminal, true);
      return insertEvents(this.#db, events);
    });
  }

  writeLedger(rows: readonly LedgerRow[]): Promise<void> {
    return this.#db.write(() => {
      this.#putLedger(rows);
    });
  }

  #putLedger(rows: readonly LedgerRow[]): void {
    for (const row of rows)
      if (row.want === 'absent' || users.hasUser(this.#db, row.user)) ledger.putLedger(this.#db, row);
  }

  readmit(terminal: string): Promise<void> {
    return this.#db.write(() => {
      ledger.readmitLedger(this.#db, terminal);
      pulls.readmitPulls(this.#db, terminal);
    });
  }

  async ledger(filter: LedgerFilter): Promise<readonly LedgerRow[]> {
    return listLedger(this.#db, filter);
  }

  async ledgerOf(ids: readonly number[]): Promise<readonly LedgerRow[]> {
    return ledger.ledgerOf(this.#db, ids);
  }

  async ledgerCounts(): Promise<ReadonlyMap<string, LedgerCounts>> {
    return ledger.ledgerCounts(this.#db);
  }

  async close(): Promise<void> {
    this.#db.close();
    this.spill.close();
  }
}
