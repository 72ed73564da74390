import type { Capabilities, LogRecord, LogState, Refusal, UserRecord } from '@whorl/protocol';
import type { PortableDriver } from './portable.ts';

/** What a terminal says of itself when it is greeted. */
export interface Identity {
  readonly serial: string;
  readonly model: string;
  readonly firmware: string;
  readonly users: number;
  readonly log: LogState;
  /** What its clock showed then, milliseconds UTC. */
  readonly clock: number;
  /** When that was by the gateway's clock, milliseconds UTC. */
  readonly greeted: number;
  readonly capabilities: Capabilities;
}

/** Log records that follow a position, ascending, and where the log stands. */
export interface LogPage {
  readonly log: LogState;
  readonly records: readonly LogRecord[];
  /** There are more. */
  readonly more: boolean;
}

/** How a push ended for one user. */
export type PushOutcome =
  /** The terminal answered the digest of what it was sent. */
  | { readonly kind: 'verified' }
  /** `corrupt`: it took the user, and answers another digest. */
  | { readonly kind: 'refused'; readonly reason: Refusal | 'corrupt' };

export interface Moved<T> {
  readonly value: T;
  /** Bytes of the object that went over the line. */
  readonly bytes: number;
  readonly ms: number;
}

/** A user to be put in place. */
export interface Outgoing {
  /** What the terminal can hold of it. */
  readonly record: UserRecord;
  /**
   * Digests of the fields that the terminal seems to hold, by number: then only others travel. Absent when that is not
   * known; wrong, the terminal says so and is sent the whole user.
   */
  readonly held?: ReadonlyMap<number, Uint8Array> | undefined;
}

export interface PushOptions {
  /** Log position that the gateway has stored: what was changed at the terminal after it is not overwritten. */
  readonly after: number;
  /** Every terminal on the same line may read these users: then all can be told at once without handing each a key. */
  readonly open: boolean;
}

/** How a terminal's users differ from those expected; ids ascending. */
export interface Comparison {
  readonly same: number;
  /** There with another content. */
  readonly different: readonly number[];
  readonly missing: readonly number[];
  /** There and not expected. */
  readonly extra: readonly number[];
}

/** Told of what happens by itself at a terminal. */
export interface DriverWatcher {
  readonly online: (identity: Identity) => void;
  readonly offline: (reason: string) => void;
  /** It answers, has not proven who it is, and gets nothing; told once until something changes. */
  readonly quarantined: (serial: string, reason: string) => void;
  /** There are logs to be read. */
  readonly attention: () => void;
}

/** Where bytes are kept over a restart. */
export interface Keeper {
  get(): Promise<Uint8Array | undefined>;
  /** @param bytes `undefined` forgets them */
  put(bytes: Uint8Array | undefined): Promise<void>;
}

/**
 * How the rest of the gateway speaks to a terminal, whatever its make. What a terminal cannot do is a capability that
 * it lacks. Every method throws WhorlError: EXCHANGE_*, LINE_CLOSED, TERMINAL_*, ABORTED.
 */
export interface TerminalDriver {
  readonly name: string;
  /** `undefined` while it does not answer. */
  readonly identity: Identity | undefined;
  watch(watcher: DriverWatcher): void;
  /** Log records after `id`; the terminal may take it that all up to there are stored. */
  logsAfter(id: number, signal: AbortSignal): Promise<LogPage>;
  /**
   * The whole user with all templates.
   * @param known what the gateway has of it: fields that are the same need not travel
   * @param keeper where what has arrived is kept, for a restart
   * @returns `undefined` when the terminal has no such user
   */
  pull(
    user: number,
    known: UserRecord | undefined,
    signal: AbortSignal,
    keeper?: Keeper,
  ): Promise<Moved<UserRecord | undefined>>;
  /**
   * Puts users in place, each whole or not at all.
   * @returns an outcome for each, in order
   */
  push(
    users: readonly Outgoing[],
    options: PushOptions,
    signal: AbortSignal,
  ): Promise<Moved<readonly PushOutcome[]>>;
  /**
   * Afterwards none of these users is there.
   * @param options.after as for a push; when it is not given, whatever was changed there
   * @returns false when one of them was changed there behind that: then all of them are there as before
   */
  remove(
    users: readonly number[],
    options: Partial<Pick<PushOptions, 'after'>>,
    signal: AbortSignal,
  ): Promise<boolean>;
  /**
   * Compares who is there with who should be.
   * @param expected digest of each user as this terminal can hold it
   */
  compare(expected: ReadonlyMap<number, Uint8Array>, signal: AbortSignal): Promise<Comparison>;
  /** Who is there, with digests, by ascending id. */
  digests(signal: AbortSignal): Promise<ReadonlyMap<number, Uint8Array>>;
  /**
   * Of terminals whose capabilities say that their clock can be read.
   * @returns how far it is off by the gateway's clock, milliseconds; positive is ahead
   */
  clockOff(signal: AbortSignal): Promise<number>;
  /** @param time milliseconds UTC */
  setClock(time: number, signal: AbortSignal): Promise<void>;
  /** Of terminals that are portable; `undefined` of all others, and while it is not known. */
  readonly portable: PortableDriver | undefined;
}
