import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { WhorlError } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';

export type Row = Readonly<Record<string, string | number | bigint | Uint8Array | null>>;

interface Step {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One connection to an SQLite file. Writes that wait are committed together, each in a savepoint of its own; their
 * promises are fulfilled after the disk has the commit, never before.
 */
export class Sqlite {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #waiting: Step[] = [];

  /** @param prepare brings schema and contents into shape, before anything else. @throws WhorlError STORE_* */
  constructor(path: string, prepare: (db: DatabaseSync) => void) {
    this.#db = translated(() => {
      const db = new DatabaseSync(path);
      // An exclusive lock, taken with the first write and held until the process ends however it ends: two gateways on
      // one database would each undo what the other does.
      // A checkpoint writes every changed page back; a larger log and cache let it come seldom (about every 32 MB).
      db.exec(
        'PRAGMA busy_timeout = 250; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -65536;',
      );
      try {
        prepare(db);
      } catch (error) {
        db.close();
        throw error;
      }
      return db;
    });
  }

  /** Runs `work` in a transaction; its promise is fulfilled after the commit. @throws WhorlError STORE_*, and what `work` throws */
  write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (this.#waiting.length === 1) {
        queueMicrotask(() => {
          this.#commit();
        });
      }
    });
  }

  /** The first row, if any. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return translated(() => this.#statement(sql).get(...values));
  }

  all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    return translated(() => this.#statement(sql).all(...values));
  }

  /** @returns the number of rows changed */
  run(sql: string, ...values: SQLInputValue[]): number {
    return translated(() => Number(this.#statement(sql).run(...values).changes));
  }

  close(): void {
    this.#db.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #commit(): void {
    const steps = this.#waiting;
    this.#waiting = [];
    const settled: (() => void)[] = [];
    try {
      this.run('BEGIN IMMEDIATE');
      for (const step of steps) settled.push(this.#savepoint(step, steps.length > 1));
      this.run('COMMIT');
    } catch (error) {
      this.#rollBack();
      for (const step of steps) step.reject(asError(error));
      return;
    }
    for (const settle of settled) settle();
  }

  /** One step's failure is its own; alone in its transaction it needs no savepoint. */
  #savepoint(step: Step, shared: boolean): () => void {
    if (!shared) {
      const value = step.work();
      return () => {
        step.resolve(value);
      };
    }
    this.run('SAVEPOINT step');
    try {
      const value = step.work();
      this.run('RELEASE step');
      return () => {
        step.resolve(value);
      };
    } catch (error) {
      this.run('ROLLBACK TO step');
      this.run('RELEASE step');
      return () => {
        step.reject(asError(error));
      };
    }
  }

  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  5: 'STORE_BUSY',
  6: 'STORE_BUSY',
  8: 'STORE_READONLY',
  10: 'STORE_IO',
  11: 'STORE_CORRUPT',
  13: 'STORE_FULL',
  14: 'STORE_IO',
  26: 'STORE_CORRUPT',
};

function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && typeof error.errcode === 'number') {
      const code = CODES[error.errcode & 0xff];
      if (code !== undefined) throw new WhorlError(code, error.message, { cause: error });
    }
    throw error;
  }
}
