import type { UserRecord } from '@whorl/protocol';
import type { Doubt, NewEvent, Origin, StoredEvent } from '../events/catalogue.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { Pairing } from './pairing.ts';
import type { StoreParts } from './store-parts.ts';
import type { ConflictKind, ConflictState } from './conflict-kinds.ts';
import type { EventFilter, UserFilter } from './filters.ts';
import type { SiteMark } from './sites.ts';
import type { SentChange } from './tasks.ts';

/** A place in a terminal's log: all up to record `id` of this epoch is stored. */
export interface LogPosition {
  readonly epoch: number;
  readonly id: number;
  /** When that record says that it was written, milliseconds UTC: another record may have its id one day. */
  readonly time?: number;
}

/** What is known of a terminal besides the configuration. */
export interface TerminalRow {
  readonly name: string;
  readonly serial: string;
  readonly position: LogPosition;
  /** Until it has been compared. */
  readonly doubt?: Doubt;
  /** Its log has not shown yet what was written to it; not saved with the row. */
  readonly unseen?: true;
}

/** What the comparison of a terminal leads to; stored whole or not at all. */
export interface Comparing {
  readonly terminal: string;
  /** Rows to be written as they stand; those of users that are gone are left out. */
  readonly ledger: readonly LedgerRow[];
  /** Users to be fetched from it. */
  readonly pulls: readonly number[];
  /** Whether a person decided that what the terminal holds of these is right. */
  readonly take?: 'terminal';
  /** Whether it is known now what the terminal holds. */
  readonly endsDoubt: boolean;
  readonly events: readonly NewEvent[];
  /** Milliseconds UTC. */
  readonly time: number;
}

/** Who wrote a field last. */
export interface Provenance {
  readonly origin: Origin;
  /** Name of the terminal that it comes from; with origin `gateway`, an operator accepted it. */
  readonly terminal?: string;
  /** Milliseconds UTC. */
  readonly time: number;
  /** The terminal's log record that led to it; absent when none did. */
  readonly log?: number;
  /** Nobody knows when it was written: it was seen at the terminal then. */
  readonly found?: true;
  /** Of the sync task that brought it, and who was logged in at the terminal. */
  readonly task?: number;
  readonly operator?: number;
  /** Version of the user that it came with; absent when it is not known. */
  readonly since?: number;
}

/** A value that a field once had, told by its digest. */
export interface Former {
  /** Of the field, as protocol's `fieldDigest` makes it. */
  readonly digest: Uint8Array;
  /** The version that it came with; 0 when it is not known. */
  readonly from: number;
  /** The version that replaced or cleared it. */
  readonly until: number;
}

/** A user as the gateway holds it. */
export interface StoredUser {
  readonly record: UserRecord;
  /** Counts the changes; 1 for a new user. */
  readonly version: number;
  /** By field number. */
  readonly provenance: ReadonlyMap<number, Provenance>;
  /** The last few values that fields had before, by field number, oldest first. */
  readonly former?: ReadonlyMap<number, readonly Former[]>;
}

/** A line of a list of users: nothing secret. */
export interface UserSummary {
  readonly id: number;
  readonly name: string;
  readonly version: number;
  readonly groups: readonly number[];
  /** Field numbers that it has. */
  readonly fields: readonly number[];
  /** Milliseconds UTC. */
  readonly changed: number;
}

/**
 * pending: to be sent. sending: on its way. verified: the terminal answered the digest that the gateway expects there.
 * failed: see reason and next try. withheld: not to be sent until someone asks for it (deleted at the terminal).
 */
export type LedgerState = 'pending' | 'sending' | 'verified' | 'failed' | 'withheld';

export type LedgerReason =
  | 'capacity-full'
  | 'format-mismatch'
  | 'unreachable'
  | 'refused'
  | 'corrupt'
  | 'changed-here'
  | 'deleted-at-terminal'
  /** Another person has this id there: see the conflict. */
  | 'two-people';

/** One user at one terminal. */
export interface LedgerRow {
  readonly user: number;
  readonly terminal: string;
  /** What shall be: the user there, or not there. A row that wants it absent goes away when that is so. */
  readonly want: 'present' | 'absent';
  readonly state: LedgerState;
  /** Version of the user that the state speaks of; 0 where it is of nobody who has the number now. */
  readonly version: number;
  readonly reason?: LedgerReason;
  readonly attempts: number;
  /** Milliseconds UTC; absent when nothing is planned. */
  readonly nextTry?: number;
  /** When the terminal's digest was last seen to be right, milliseconds UTC. */
  readonly checked?: number;
  /**
   * Version that this terminal was last seen to hold, 0 when that was somebody who had the number before; absent when it
   * never was, or the user was deleted there. Kept by the store: what a row to be written says of it is ignored.
   */
  readonly delivered?: number;
}

/** A user to be fetched from a terminal, because its log says that something was changed there. */
export interface PullRequest {
  readonly user: number;
  readonly terminal: string;
  /** Newest log record that asks for it, or tells that the user was deleted there meanwhile; 0 when a person does. */
  readonly log: number;
  /** When that record says that it was written, never later than it was read, milliseconds UTC. */
  readonly changed?: number;
  /** A person asked for it; `terminal`: decided that the terminal is right, whatever the policies say. */
  readonly take?: 'terminal' | 'asked';
  readonly attempts: number;
  /** Milliseconds UTC. */
  readonly nextTry: number;
}

/** One side of a conflict: the fields that it is about, and who wrote them. */
export interface ConflictSide {
  readonly record: UserRecord;
  readonly provenance: ReadonlyMap<number, Provenance>;
}

/** A conflict without what its sides hold: nothing secret. */
export interface ConflictSummary {
  readonly id: number;
  readonly user: number;
  readonly kind: ConflictKind;
  /** Field number; absent when it is about the whole user. */
  readonly field?: number;
  /** Where `theirs` was seen. */
  readonly terminal: string;
  readonly state: ConflictState;
  /** Milliseconds UTC. */
  readonly opened: number;
  /** When it was decided, milliseconds UTC. */
  readonly closed?: number;
  /** Version of the user that the decision made. */
  readonly made?: number;
  /** The id that the terminal's person got. */
  readonly newUser?: number;
}

/** A difference that a merge did not take. */
export interface Conflict extends ConflictSummary {
  /** Fields that contradict, of two people; else none. */
  readonly reasons: readonly number[];
  /** As the gateway held it when it was opened; without the field where it was vacant. */
  readonly ours: ConflictSide;
  readonly theirs: ConflictSide;
  /** What `theirs` took the place of, once it did; absent when there was no such user. */
  readonly before?: ConflictSide;
  /** Satellite: the master decides it since it has got this log up to here. */
  readonly handed?: number;
}

/** A conflict to be written as it stands, new or known. */
export interface ConflictWrite {
  readonly conflict: Omit<Conflict, 'id'>;
  /** Absent for a new one. */
  readonly id?: number;
  /** The state that it was computed from; another by now, and nothing of the change is stored. */
  readonly from?: ConflictState;
  /** To tell of it; the id of a new conflict is put into its data. */
  readonly event?: Extract<NewEvent, { type: `conflict.${string}` }>;
}

export interface ConflictFilter {
  readonly user?: number;
  readonly terminal?: string;
  readonly kind?: ConflictKind;
  readonly state?: ConflictState;
  /** Conflicts with higher ids. */
  readonly after?: number;
  readonly limit: number;
}

/**
 * What a page of logs leads to; stored whole or not at all. A pull or row with the source of an event that is stored
 * already was done before, and is left out.
 */
export interface Intake {
  readonly terminal: string;
  readonly serial: string;
  /** The position afterwards. */
  readonly position: LogPosition;
  readonly events: readonly NewEvent[];
  /** What people do at terminals is not taken: the pulls wait until it is, and are not open before. */
  readonly untaken?: boolean;
  /** Users to be fetched, with the log record that says so; one that is open already only moves on to that record. */
  readonly pulls: readonly {
    readonly user: number;
    readonly log: number;
    readonly changed?: number;
    readonly source?: string;
  }[];
  /**
   * Rows of this terminal to be written as they stand, with the log record that tells of the deletion: an open pull moves on
   * to that. Those of unknown users are left out.
   */
  readonly ledger: readonly (LedgerRow & { readonly log: number; readonly source?: string })[];
  /** Why the terminal is in doubt from now on; absent when it is not. */
  readonly doubt?: Doubt;
  /** The log has shown all that was written to the terminal. */
  readonly shown?: boolean;
  /** Milliseconds UTC. */
  readonly time: number;
}

/** A user's next version and what follows from it; stored whole or not at all. */
export interface UserChange {
  readonly user: number;
  /** Version that the change was computed from; 0 for no such user. */
  readonly from: number;
  /** The version afterwards; equal to `from` when only ledger and pull change. `undefined` deletes the user. */
  readonly next: StoredUser | undefined;
  /** Who deleted the user: remembered, see {@link TombstoneStore}. With a `next` that is somebody else, who has the number then. */
  readonly deletedBy?: string;
  /** Rows to be written as they stand. */
  readonly ledger: readonly LedgerRow[];
  /** The pull that this answers: closed unless a newer log record has come meanwhile. */
  readonly pull?: { readonly terminal: string; readonly log: number };
  /** The change at a portable terminal that this answers. */
  readonly sent?: SentChange & { readonly terminal: string };
  /** A user who is deleted takes along all conflicts but those about two people that are open. */
  readonly conflicts?: readonly ConflictWrite[];
  /** What is remembered of it for other gateways. */
  readonly sites?: readonly SiteMark[];
  readonly events: readonly NewEvent[];
  /** Milliseconds UTC. */
  readonly time: number;
}

/** How a push or a removal ended for one user. Ignored when the row speaks of another version or wish by now. */
export interface LedgerResult {
  readonly user: number;
  readonly want: 'present' | 'absent';
  readonly version: number;
  readonly state: LedgerState;
  readonly reason?: LedgerReason;
  readonly attempts: number;
  readonly nextTry?: number;
  readonly checked?: number;
}

export interface LedgerFilter {
  readonly user?: number;
  readonly terminal?: string;
  readonly state?: LedgerState;
  readonly after?: { readonly user: number; readonly terminal: string };
  readonly limit: number;
}

/** Ledger rows of one terminal, counted by state. */
export type LedgerCounts = Readonly<Record<LedgerState, number>>;

/**
 * The gateway's memory. Each method is one transaction; its promise is fulfilled after the disk has it, never before.
 * Under load, transactions that wait are committed together. Every method may be repeated with the effect of once.
 * All methods throw WhorlError STORE_BUSY, STORE_FULL, STORE_READONLY, STORE_IO or STORE_CORRUPT when the database
 * cannot do it; then nothing was changed.
 */
export interface Store extends StoreParts {
  /** Values that were changed at run time; the others have their defaults. */
  settings(): Promise<Partial<RuntimeSettings>>;
  saveSettings(
    changes: Partial<RuntimeSettings>,
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]>;
  /** By serial number. @throws WhorlError VAULT_SEALED */
  pairings(): Promise<ReadonlyMap<string, Pairing>>;
  /** @param changes by serial number; `undefined` forgets a pairing. All of them or none */
  savePairings(
    changes: ReadonlyMap<string, Pairing | undefined>,
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]>;
  /** A note that outlives a restart: progress of long work, fingerprints; `undefined` when there is none. */
  note(key: string): Promise<string | undefined>;
  saveNote(key: string, value: string | undefined): Promise<void>;
  /** The same, sealed under the master key. @throws WhorlError VAULT_SEALED */
  secretNote(key: string): Promise<string | undefined>;
  saveSecretNote(key: string, value: string): Promise<void>;

  terminals(): Promise<readonly TerminalRow[]>;
  /**
   * Remembers who answers under a name, with the position in its log to go on from. In doubt because it began anew, it
   * is not taken to hold what was delivered to it.
   */
  saveTerminal(row: TerminalRow, events: readonly NewEvent[]): Promise<readonly StoredEvent[]>;
  settleComparison(comparing: Comparing): Promise<readonly StoredEvent[]>;
  /** @returns those of the events that were new */
  recordIntake(intake: Intake): Promise<readonly StoredEvent[]>;
  addEvents(events: readonly NewEvent[]): Promise<readonly StoredEvent[]>;
  events(filter: EventFilter): Promise<readonly StoredEvent[]>;

  user(id: number): Promise<StoredUser | undefined>;
  users(filter: UserFilter): Promise<readonly UserSummary[]>;
  countUsers(): Promise<number>;
  /** @returns `undefined` when user or conflicts are not as they were any more: read them again and compute anew */
  saveUser(change: UserChange): Promise<readonly StoredEvent[] | undefined>;
  /** Changes of several users, all or none. @returns as {@link saveUser} */
  saveUsers(changes: readonly UserChange[]): Promise<readonly StoredEvent[] | undefined>;
  /** An id that nobody has, here or at a terminal as far as is known. */
  freeUser(): Promise<number>;

  /** By ascending id. */
  conflicts(filter: ConflictFilter): Promise<readonly ConflictSummary[]>;
  conflict(id: number): Promise<Conflict | undefined>;
  /** All of a user, with their sides. */
  conflictsOf(user: number): Promise<readonly Conflict[]>;
  /** Open ones. */
  countConflicts(): Promise<number>;

  /** Open pulls of a terminal that are due, oldest first. */
  duePulls(terminal: string, now: number, limit: number): Promise<readonly PullRequest[]>;
  /** When the next pull or ledger row of a terminal becomes due after `now`, milliseconds UTC. */
  nextDue(terminal: string, now: number): Promise<number | undefined>;
  openPulls(limit: number): Promise<readonly PullRequest[]>;
  /** Open pulls, by terminal that has any. */
  pullCounts(): Promise<ReadonlyMap<string, number>>;
  /** Opens a pull that no log asked for (by hand). */
  requestPull(pull: PullRequest): Promise<void>;
  /** What people did at terminals while it was not taken is fetched now. @param now milliseconds UTC */
  releasePulls(now: number): Promise<void>;
  /** Moves a pull to a later try, or ends it when `nextTry` is absent; with the events to tell of it. */
  postponePull(
    pull: {
      readonly user: number;
      readonly terminal: string;
      readonly log: number;
      readonly attempts: number;
      readonly nextTry?: number;
    },
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]>;

  /**
   * Rows of a terminal that are to be done now: pending, or failed with a next try that has come; without users that
   * have an open pull from that terminal. Rows that want the user absent come first.
   */
  dueLedger(terminal: string, now: number, limit: number): Promise<readonly LedgerRow[]>;
  markSending(terminal: string, rows: readonly LedgerRow[]): Promise<void>;
  /** @returns the events stored */
  settleLedger(
    terminal: string,
    results: readonly LedgerResult[],
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]>;
  /** Writes rows as they stand; those of users that are gone are left out unless they want them absent. */
  writeLedger(rows: readonly LedgerRow[]): Promise<void>;
  /** After a restart or when a terminal is back: what was on its way, or failed as unreachable, is pending again. */
  readmit(terminal: string): Promise<void>;
  ledger(filter: LedgerFilter): Promise<readonly LedgerRow[]>;
  ledgerOf(users: readonly number[]): Promise<readonly LedgerRow[]>;
  ledgerCounts(): Promise<ReadonlyMap<string, LedgerCounts>>;
  close(): Promise<void>;
}
