import * as fs from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { systemClock } from '@whorl/protocol';
import { makeDirectories } from '../settings/directories.ts';
import type { Roles } from './members.ts';

/** A prepared statement, as node:sqlite has it. */
export interface Statement {
  get(...values: SQLInputValue[]): Record<string, SQLOutputValue> | undefined;
  all(...values: SQLInputValue[]): Record<string, SQLOutputValue>[];
  run(...values: SQLInputValue[]): { changes: number | bigint };
  /** In a transaction: done at the latest with what is asked next, which fails when this does. As `run` when absent. */
  put?(...values: SQLInputValue[]): void;
}

/** A database that is open, as node:sqlite has it. Errors carry SQLite's code in `errcode`. */
export interface Connection {
  readonly isOpen: boolean;
  readonly isTransaction: boolean;
  /** What falls to this process, where several may work on the database. */
  readonly roles?: Roles | undefined;
  /** So long work is taken into one commit, where that takes its time. */
  readonly commitMs?: number;
  exec(sql: string): void;
  /** Does what was put off. */
  flush?(): void;
  prepare(sql: string): Statement;
  close(): void;
  /** Whether writes may go on while it copies. */
  readonly copiesAside?: boolean;
  /** Copies all as it is at one moment, `pages` without a pause. */
  copyTo(path: string, pages: number): Promise<unknown>;
  /** Lets go of older states of what was changed. */
  forgetLog(): void;
}

/** Of node:fs what the store uses for files that are not the database. */
export interface Files {
  existsSync(path: string): boolean;
  mkdirSync(path: string, options: { recursive: true; mode: number }): unknown;
  mkdtempSync(prefix: string): string;
  openSync(path: string, flags: string, mode?: number): number;
  /** @param position in bytes; where the last one ended unless it says */
  writeSync(file: number, text: string, position?: number): number;
  fsyncSync(file: number): void;
  closeSync(file: number): void;
  renameSync(from: string, to: string): void;
  rmSync(path: string, options: { force: boolean; recursive?: boolean }): void;
  readFileSync(path: string, encoding: 'utf8'): string;
  readdirSync(path: string): string[];
  statSync(path: string): { readonly mode: number; readonly size: number };
}

/** What a store stands on: handed in, so that it can be tried on a disk that loses power. */
export interface Ground {
  readonly files: Files;
  readonly connect: (path: string) => Connection;
  /**
   * Calls back once more writes that belong together have had time to come: they are committed then, with one sync of
   * the disk. At the end of the turn in which the first came, unless it says.
   */
  readonly gather?: (commit: () => void) => void;
  /** Milliseconds: a commit takes no more of what waits than there is time for. Without it, it takes all. */
  readonly now?: () => number;
}

/** Empties the write-ahead log. */
export const FORGET_LOG = 'PRAGMA wal_checkpoint(TRUNCATE)';

class NodeConnection extends DatabaseSync implements Connection {
  copyTo(path: string, pages: number): Promise<unknown> {
    return backup(this, path, { rate: pages });
  }

  forgetLog(): void {
    this.exec(FORGET_LOG);
  }
}

/** This machine. */
export const machine: Ground = {
  files: { ...fs, mkdirSync: makeDirectories },
  connect: (path) => new NodeConnection(path),
};

/**
 * This machine in real time: what all terminals that spoke in one round of the event loop have to store is committed
 * together, so that a storm of them costs a sync a round and whoever asks over HTTP has a turn in each.
 */
export const machineInRealTime: Ground = {
  ...machine,
  // eslint-disable-next-line no-restricted-globals -- here is the machine that is handed in
  gather: (commit) => void setImmediate(commit),
  now: () => systemClock.now(),
};
