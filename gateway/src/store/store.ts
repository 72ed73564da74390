import type { UserRecord } from '@whorl/protocol';
import type { EventType, NewEvent, Origin, StoredEvent } from '../events/catalogue.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';

/** A place in a terminal's log: all up to record `id` of this epoch is stored. */
export interface LogPosition {
  readonly epoch: number;
  readonly id: number;
}

/** What is known of a terminal besides the configuration. */
export interface TerminalRow {
  readonly name: string;
  readonly serial: string;
  readonly position: LogPosition;
}

/** Who wrote a field last. */
export interface Provenance {
  readonly origin: Origin;
  /** Name of the terminal; absent when it was the gateway. */
  readonly terminal?: string;
  /** Milliseconds UTC. */
  readonly time: number;
}

/** A user as the gateway holds it. */
export interface StoredUser {
  readonly record: UserRecord;
  /** Counts the changes; 1 for a new user. */
  readonly version: number;
  /** By field number. */
  readonly provenance: ReadonlyMap<number, Provenance>;
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
  | 'deleted-at-terminal';

/** One user at one terminal. */
export interface LedgerRow {
  readonly user: number;
  readonly terminal: string;
  /** What shall be: the user there, or not there. A row that wants it absent goes away when that is so. */
  readonly want: 'present' | 'absent';
  readonly state: LedgerState;
  /** Version of the user that the state speaks of. */
  readonly version: number;
  readonly reason?: LedgerReason;
  readonly attempts: number;
  /** Milliseconds UTC; absent when nothing is planned. */
  readonly nextTry?: number;
  /** When the terminal's digest was last seen to be right, milliseconds UTC. */
  readonly checked?: number;
}

/** A user to be fetched from a terminal, because its log says that something was changed there. */
export interface PullRequest {
  readonly user: number;
  readonly terminal: string;
  /** Newest log record that asks for it. */
  readonly log: number;
  readonly attempts: number;
  /** Milliseconds UTC. */
  readonly nextTry: number;
}

/** What a page of logs leads to; stored whole or not at all. */
export interface Intake {
  readonly terminal: string;
  readonly serial: string;
  /** The position afterwards. */
  readonly position: LogPosition;
  readonly events: readonly NewEvent[];
  /** Users to be fetched, with the log record that says so; one that is open already only moves on to that record. */
  readonly pulls: readonly { readonly user: number; readonly log: number }[];
  /** Rows of this terminal to be written as they stand; those of unknown users are left out. */
  readonly ledger: readonly LedgerRow[];
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
  /** Rows to be written as they stand. */
  readonly ledger: readonly LedgerRow[];
  /** The pull that this answers: closed unless a newer log record has come meanwhile. */
  readonly pull?: { readonly terminal: string; readonly log: number };
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

export interface UserFilter {
  /** Users with higher ids. */
  readonly after?: number;
  readonly limit: number;
  /** Part of the name, any case. */
  readonly name?: string;
  readonly group?: number;
}

export interface LedgerFilter {
  readonly user?: number;
  readonly terminal?: string;
  readonly state?: LedgerState;
  readonly after?: { readonly user: number; readonly terminal: string };
  readonly limit: number;
}

export interface EventFilter {
  /** Events with higher ids. */
  readonly after?: number;
  /** The newest instead of the first `limit`; still answered by ascending id. */
  readonly newest?: boolean;
  readonly limit: number;
  readonly type?: EventType;
  readonly terminal?: string;
  readonly user?: number;
}

/** Ledger rows of one terminal, counted by state. */
export type LedgerCounts = Readonly<Record<LedgerState, number>>;

/**
 * The gateway's memory. Each method is one transaction; its promise is fulfilled after the disk has it, never before.
 * Under load, transactions that wait are committed together. Every method may be repeated with the effect of once.
 *
 * All methods throw WhorlError STORE_BUSY, STORE_FULL, STORE_READONLY, STORE_IO or STORE_CORRUPT when the database
 * cannot do it; then nothing was changed.
 */
export interface Store {
  /** Values that were changed at run time; the others have their defaults. */
  settings(): Promise<Partial<RuntimeSettings>>;
  saveSettings(
    changes: Partial<RuntimeSettings>,
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]>;
  /** A note that outlives a restart: progress of long work, fingerprints; `undefined` when there is none. */
  /** Makes all that a terminal shall hold pending again: another one stands in its place. */
  resend(terminal: string): Promise<void>;
  /** Pairing keys of terminals, by serial number. @throws WhorlError VAULT_SEALED */
  pairings(): Promise<ReadonlyMap<string, Uint8Array>>;
  /** @param key 32 bytes; `undefined` forgets it */
  savePairing(
    serial: string,
    key: Uint8Array | undefined,
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]>;
  note(key: string): Promise<string | undefined>;
  saveNote(key: string, value: string | undefined): Promise<void>;

  terminals(): Promise<readonly TerminalRow[]>;
  /** Remembers who answers under a name, with the position in its log to go on from. */
  saveTerminal(row: TerminalRow, events: readonly NewEvent[]): Promise<readonly StoredEvent[]>;
  /** @returns those of the events that were new */
  recordIntake(intake: Intake): Promise<readonly StoredEvent[]>;
  addEvents(events: readonly NewEvent[]): Promise<readonly StoredEvent[]>;
  events(filter: EventFilter): Promise<readonly StoredEvent[]>;

  user(id: number): Promise<StoredUser | undefined>;
  users(filter: UserFilter): Promise<readonly UserSummary[]>;
  countUsers(): Promise<number>;
  /** @returns `undefined` when the user has another version than `from` by now: read it again and compute anew */
  saveUser(change: UserChange): Promise<readonly StoredEvent[] | undefined>;

  /** Open pulls of a terminal that are due, oldest first. */
  duePulls(terminal: string, now: number, limit: number): Promise<readonly PullRequest[]>;
  /** When the next pull or ledger row of a terminal becomes due after `now`, milliseconds UTC. */
  nextDue(terminal: string, now: number): Promise<number | undefined>;
  openPulls(limit: number): Promise<readonly PullRequest[]>;
  /** Opens a pull that no log asked for (by hand). */
  requestPull(pull: PullRequest): Promise<void>;
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
  /** Marks rows as on their way. */
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
  /** All rows of these users. */
  ledgerOf(users: readonly number[]): Promise<readonly LedgerRow[]>;
  ledgerCounts(): Promise<ReadonlyMap<string, LedgerCounts>>;

  close(): Promise<void>;
}
