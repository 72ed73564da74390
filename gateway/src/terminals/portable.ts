// What portable terminals can be asked besides: their users come and go in sync sessions only.

/** How a sync session stands; the last three end it. */
export const SYNC_STAGES = [
  'preparing',
  'sending',
  'downloading',
  'storing',
  'files',
  'done',
  'failed',
  'refused',
] as const;
export type SyncStage = (typeof SYNC_STAGES)[number];

/** What a task's files are for; the terminal shows or installs them by it. */
export const FILE_KINDS = ['wallpaper', 'floor-plan', 'photo', 'firmware'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** That a terminal, or somebody at it, wants to sync; it stands there until it was told how that ended. */
export interface SyncWish {
  /** Counts the wishes of this terminal. */
  readonly number: number;
  /** send: what was changed there comes to the gateway. synchronise: then the task's slice goes there too. */
  readonly mode: 'synchronise' | 'send';
  readonly task: number;
  /** Who is, or was last, logged in there; 0 for nobody. */
  readonly operator: number;
  /** The operator confirmed that changes which were not sent are lost (P5): they are not asked for. */
  readonly forget: boolean;
  /** Also the task's files. */
  readonly files: boolean;
  /** Begun by the dock, by nobody. */
  readonly automatic: boolean;
  /** Whether there are changes to be sent; not given when that is not known. */
  readonly unsent?: boolean;
}

/** A user who was changed at a portable terminal, and not sent yet. */
export interface JournalEntry {
  /** Ascends for ever; a later change of the same user has a higher one, and the earlier is gone. */
  readonly seq: number;
  readonly user: number;
  readonly what: 'enrolled' | 'edited' | 'deleted';
  readonly operator: number;
  /** Milliseconds UTC, by the terminal's clock. */
  readonly at: number;
}

/** What became of an entry of the journal; the terminal shows it. */
export interface JournalAnswer {
  readonly seq: number;
  readonly result: 'merged' | 'conflict' | 'refused';
  /** A sentence; may be empty. */
  readonly reason: string;
}

/** How far a sync session is, for the terminal's display. */
export interface SyncProgress {
  /** Of the wish. */
  readonly number: number;
  readonly stage: SyncStage;
  /** Users, or files; of `total`. */
  readonly done: number;
  readonly total: number;
  /** Moved in this stage so far. */
  readonly bytes: number;
  /** Bytes a second. */
  readonly rate: number;
  /** Seconds, as far as can be told. */
  readonly left: number;
  /** Why it failed or was refused; else empty. */
  readonly reason: string;
}

/** A file for a terminal. */
export interface OutgoingFile {
  readonly name: string;
  readonly kind: FileKind;
  readonly size: number;
  /** Of the whole file, as protocol's `digestOf` makes it. */
  readonly digest: Uint8Array;
  /** @returns `count` bytes from `from` on, fewer at the end */
  read(from: number, count: number): Promise<Uint8Array>;
}

/** A task as the terminal lists it. */
export interface ListedTask {
  readonly id: number;
  readonly name: string;
}

/** Who may log in at a portable terminal. */
export interface Operator {
  readonly id: number;
  readonly name: string;
  /** Of the PIN, as protocol's `pinVerifier` makes it. */
  readonly verifier: Uint8Array;
}

/** What portable terminals can do besides. Every method throws as the terminal's driver does. */
export interface PortableDriver {
  /** @returns `undefined` when the terminal wants nothing */
  wish(signal: AbortSignal): Promise<SyncWish | undefined>;
  /** @returns whether the operator cancelled at the terminal */
  tell(progress: SyncProgress, signal: AbortSignal): Promise<{ readonly cancelled: boolean }>;
  /** All entries with a higher seq than `after`, ascending; `epoch` changes when seqs begin anew. */
  journal(
    after: number,
    signal: AbortSignal,
  ): Promise<{ readonly epoch: number; readonly entries: readonly JournalEntry[] }>;
  /** The terminal drops the entries whose seq still stands. */
  settle(answers: readonly JournalAnswer[], signal: AbortSignal): Promise<void>;
  /**
   * Opens the next table, or goes on with the one that was kept: until it is swapped or dropped, or the session with the
   * terminal ends, the driver's compare, digests, push and remove are about that table.
   * @returns how many users it holds, its digest, and whether the live table has the same one
   */
  openSlice(
    task: number,
    signal: AbortSignal,
  ): Promise<{ readonly users: number; readonly table: Uint8Array; readonly live: boolean }>;
  /** Makes the next table the live one, in one step. @param table the digest that it must have */
  swapSlice(table: Uint8Array, signal: AbortSignal): Promise<void>;
  dropSlice(signal: AbortSignal): Promise<void>;
  /** Sends a file, from where an earlier try stopped. @param onBytes told how many bytes the terminal holds */
  file(file: OutgoingFile, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void>;
  /** Removes files with other names. */
  keepFiles(names: readonly string[], signal: AbortSignal): Promise<void>;
  /**
   * Tells a terminal that does not notice itself whether there is supply voltage.
   * @returns what it wants then
   */
  supply(present: boolean, signal: AbortSignal): Promise<SyncWish | undefined>;
  setTasks(tasks: readonly ListedTask[], operators: readonly Operator[], signal: AbortSignal): Promise<void>;
}
