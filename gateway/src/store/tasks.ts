import type { NewEvent, StoredEvent } from '../events/catalogue.ts';
import type { TaskDefinition } from '../settings/task.ts';

/** A sync task. */
export interface Task extends TaskDefinition {
  /** Never used again. */
  readonly id: number;
  /** Milliseconds UTC. */
  readonly changed: number;
}

/** Who may log in at portable terminals. */
export interface OperatorRow {
  readonly id: number;
  readonly name: string;
  /** Of the PIN, as protocol's `pinVerifier` makes it. */
  readonly verifier: Uint8Array;
}

/** What is held of a file, without its bytes. */
export interface FileRow {
  readonly name: string;
  readonly kind: string;
  readonly size: number;
  /** Of its bytes, as protocol's `digestOf` makes it. */
  readonly digest: Uint8Array;
  /** Milliseconds UTC. */
  readonly changed: number;
}

/** Tasks, operators and files as a master has them for one of its satellites. */
export interface MasterLists {
  readonly tasks: readonly Task[];
  readonly operators: readonly OperatorRow[];
  /** Names. */
  readonly files: readonly string[];
}

/** What became of a change that a terminal sent. */
export interface SentAnswer {
  readonly result: 'merged' | 'conflict' | 'refused';
  readonly reason: string;
}

/** A change of a terminal's journal: no other has the same three. */
export interface SentKey {
  readonly serial: string;
  readonly epoch: number;
  readonly seq: number;
}

/** Kept with what a change led to, in one transaction: sent again, it is answered from here. */
export interface SentChange extends SentKey {
  readonly answer: SentAnswer;
}

/** running: also while the terminal is away. */
export const SYNC_STATES = ['running', 'done', 'failed', 'refused', 'cancelled'] as const;
export type SyncState = (typeof SYNC_STATES)[number];

/** A sync session of a portable terminal. */
export interface SyncRow {
  readonly id: number;
  readonly terminal: string;
  readonly serial: string;
  /** Of the terminal's log: another one, and its wishes are counted anew. */
  readonly epoch: number;
  /** Of the terminal's wish. */
  readonly number: number;
  readonly mode: 'synchronise' | 'send';
  readonly task: number;
  readonly operator: number;
  readonly automatic: boolean;
  /** The operator confirmed that changes which were not sent are lost. */
  readonly forget: boolean;
  readonly files: boolean;
  readonly state: SyncState;
  /** Milliseconds UTC. */
  readonly began: number;
  /** Milliseconds UTC; absent while it runs. */
  readonly ended?: number;
  /** What was sent, by what became of it. */
  readonly merged: number;
  readonly conflicts: number;
  readonly refused: number;
  /** Users of the slice at the terminal afterwards. */
  readonly users: number;
  /** Of these, sent in this session. */
  readonly downloaded: number;
  readonly removed: number;
  /** Bytes of users and files that went there. */
  readonly bytes: number;
  /** Why it ended otherwise than done. */
  readonly reason?: string;
}

export interface SyncFilter {
  readonly terminal?: string;
  readonly task?: number;
  readonly state?: SyncState;
  readonly limit: number;
}

/** Sessions by terminal and state; the time of the last that was done, milliseconds UTC. */
export interface SyncCount {
  readonly terminal: string;
  readonly state: SyncState;
  readonly count: number;
  readonly last: number;
}

/** Tasks, operators, files, and sync sessions. Errors as of the whole store. */
export interface TaskStore {
  /** By ascending id. */
  tasks(): Promise<readonly Task[]>;
  task(id: number): Promise<Task | undefined>;
  /** @param task.id absent for a new one. @returns its id */
  saveTask(task: Omit<Task, 'id'> & { readonly id?: number }): Promise<number>;
  removeTask(id: number): Promise<void>;

  /** By ascending id. @throws WhorlError VAULT_SEALED */
  operators(): Promise<readonly OperatorRow[]>;
  saveOperator(operator: OperatorRow): Promise<void>;
  removeOperator(id: number): Promise<void>;

  /** By name. */
  files(): Promise<readonly FileRow[]>;
  /** Takes the place of a file of the same name, whole or not at all. */
  saveFile(file: Omit<FileRow, 'size'>, bytes: Uint8Array): Promise<void>;
  /**
   * Bytes of a file as it is while its digest is this one.
   * @returns `undefined` when there is no such file any more
   * @throws WhorlError VAULT_SEALED
   */
  readFile(
    file: Pick<FileRow, 'name' | 'digest'>,
    from: number,
    count: number,
  ): Promise<Uint8Array | undefined>;
  removeFile(name: string): Promise<void>;

  /**
   * Takes over what a master keeps: whatever is not of it goes.
   * @param lists.files names of those that stay; none is added
   * @returns the events stored
   */
  takeLists(lists: MasterLists, events: readonly NewEvent[]): Promise<readonly StoredEvent[]>;

  /**
   * Begins a session; one that still runs at that terminal is ended as failed.
   * @param event tells of it; the session's id is put into its data
   */
  beginSync(sync: Omit<SyncRow, 'id'>, event: BeginEvent): Promise<Begun>;
  /** @returns the events stored */
  saveSync(sync: SyncRow, events: readonly NewEvent[]): Promise<readonly StoredEvent[]>;
  sync(id: number): Promise<SyncRow | undefined>;
  /** The newest, newest first. */
  syncs(filter: SyncFilter): Promise<readonly SyncRow[]>;
  syncCounts(): Promise<readonly SyncCount[]>;

  /** What was answered to a change, if it was. */
  sent(key: SentKey): Promise<SentAnswer | undefined>;
  /** Remembers an answer that led to nothing else. */
  saveSent(change: SentChange): Promise<void>;
  /** Forgets the answers of a terminal's changes whose seq is none of these: the terminal has dropped them. */
  keepSent(serial: string, epoch: number, seqs: readonly number[]): Promise<void>;

  /** Names of the terminals that are portable. */
  portables(): Promise<readonly string[]>;
  /** Nothing that was planned for a terminal before it was known what it is stands any more. */
  savePortable(terminal: string, portable: boolean): Promise<void>;
  /** Something of each of these users that whoever is given the number next has not. */
  births(users: readonly number[]): Promise<ReadonlyMap<number, string>>;
  /** What a portable terminal holds from now on: a row of the ledger for each, verified, and no others. */
  saveHeld(terminal: string, held: HeldUsers, time: number): Promise<void>;
}

/** Who is at a portable terminal, by number. */
export interface HeldUsers {
  readonly versions: ReadonlyMap<number, number>;
  /** As {@link TaskStore.births} told before the users were read. */
  readonly births: ReadonlyMap<number, string>;
}

export type BeginEvent = Extract<NewEvent, { type: 'sync.began' | 'sync.refused' }>;

export interface Begun {
  readonly id: number;
  readonly events: readonly StoredEvent[];
}
