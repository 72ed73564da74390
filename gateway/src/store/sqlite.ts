import type { SQLInputValue } from 'node:sqlite';
import { WhorlError } from '@whorl/protocol';
import { machine } from './ground.ts';
import type { Connection, Ground, Statement } from './ground.ts';
import type { Roles } from './members.ts';
import { translated } from './sqlite-errors.ts';

export type Row = Readonly<Record<string, string | number | bigint | Uint8Array | null>>;

/** So long work is taken into one commit: whoever reads waits for it. */
const COMMIT_MS = 4;

/** Pages copied without a pause: 8 MB. */
const COPY_PAGES = 2000;

interface Step {
  /** Changes nothing but the database: it is carried out again when one that it shares a transaction with has failed. */
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One connection to an SQLite file. Writes that wait are committed together, yet each succeeds or fails alone; their
 * promises are fulfilled after the disk has the commit, never before.
 */
export class Sqlite {
  readonly #path: string;
  readonly #db: Connection;
  readonly #statements = new Map<string, Statement>();
  #waiting: Step[] = [];
  readonly #gather: (commit: () => void) => void;
  readonly #now: () => number;
  readonly #watchers = new Set<(error: unknown) => void>();
  /** Copies under way. */
  #copying = 0;

  /**
   * @param path of the file; `:memory:` for none
   * @param prepare brings schema and contents into shape, before anything else
   * @param ground this machine unless it says
   * @throws WhorlError STORE_*, and what `prepare` throws; then the file is let go of
   */
  constructor(
    path: string,
    prepare: (db: Connection) => void,
    { connect, gather = queueMicrotask, now = () => 0 }: Pick<Ground, 'connect' | 'gather' | 'now'> = machine,
  ) {
    this.#path = path;
    this.#gather = gather;
    this.#now = now;
    this.#db = translated(path, () => {
      const db = connect(path);
      try {
        prepare(db);
      } catch (error) {
        db.close();
        throw error;
      }
      return db;
    });
  }

  /**
   * Runs `work` in a transaction; its promise is fulfilled after the commit.
   * @param work changes nothing but the database, as it may be run again after a rollback
   * @throws WhorlError STORE_*, and what `work` throws
   */
  write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (this.#waiting.length === 1) this.#commitSoon();
    });
  }

  #commitSoon(): void {
    this.#gather(() => {
      if (this.#copying > 0) return;
      this.#commit();
      if (this.#waiting.length > 0) this.#commitSoon();
    });
  }

  /** Calls `failed` with what any write failed with, before its promise is rejected. @returns ends it */
  watch(failed: (error: unknown) => void): () => void {
    this.#watchers.add(failed);
    return () => void this.#watchers.delete(failed);
  }

  /** What falls to this process; `undefined` when it is alone on the database. */
  get roles(): Roles | undefined {
    return this.#db.roles;
  }

  /** The first row, if any. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return translated(this.#path, () => this.#statement(sql).get(...values));
  }

  all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    return translated(this.#path, () => this.#statement(sql).all(...values));
  }

  /** @returns the number of rows changed */
  run(sql: string, ...values: SQLInputValue[]): number {
    return translated(this.#path, () => Number(this.#statement(sql).run(...values).changes));
  }

  /**
   * Runs a statement of which nobody asks how many rows it changed: in a transaction, a server is told of it together with
   * the next statement that is waited for, which fails when this one did.
   */
  put(sql: string, ...values: SQLInputValue[]): void {
    translated(this.#path, () => {
      const statement = this.#statement(sql);
      if (statement.put === undefined) statement.run(...values);
      else statement.put(...values);
    });
  }

  /** Runs `work` in a transaction of its own, now; for a database that nobody else works on. */
  atOnce(work: () => void): void {
    this.run('BEGIN IMMEDIATE');
    try {
      work();
      this.run('COMMIT');
    } catch (error) {
      this.#giveUp();
      throw error;
    }
  }

  /**
   * Copies all as it is at one moment into a file, some megabytes at a time between which reads go on. Writes wait, unless
   * the connection says otherwise: a page that is written while it is copied would end the copying.
   * @throws WhorlError STORE_*
   */
  async copyTo(path: string): Promise<void> {
    this.#commitAll();
    const holds = this.#db.copiesAside === true ? 0 : 1;
    this.#copying += holds;
    try {
      await this.#db.copyTo(path, COPY_PAGES);
    } catch (error) {
      translated(path, () => {
        throw error;
      });
    } finally {
      this.#copying -= holds;
      if (this.#copying === 0) this.#commitAll();
    }
  }

  /** Empties the write-ahead log, in which older states stand. */
  forgetLog(): void {
    this.#rollBack();
    translated(this.#path, () => {
      this.#db.forgetLog();
    });
  }

  /** Commits what waits and lets go of the file; harmless when repeated. */
  close(): void {
    this.#commitAll();
    if (!this.#db.isOpen) return;
    this.#statements.clear();
    this.#db.close();
  }

  #statement(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (!this.#db.isOpen) throw new WhorlError('STORE_CLOSED', this.#path);
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #commitAll(): void {
    while (this.#waiting.length > 0) this.#commit();
  }

  /** Commits what waits, or as much of it as there is time for. */
  #commit(): void {
    const steps = this.#waiting;
    if (steps.length === 0) return;
    this.#waiting = [];
    let settled: readonly (() => void)[];
    try {
      settled = this.#together(steps) ?? this.#apart(steps);
    } catch (error) {
      this.#giveUp();
      this.#tell(error);
      for (const step of steps) step.reject(asError(error));
      return;
    }
    this.#waiting = [...steps.slice(settled.length), ...this.#waiting];
    for (const settle of settled) settle();
  }

  /**
   * Without the savepoints, which cost as much as the steps.
   * @returns what tells the callers of those that were carried out; `undefined` when one has failed
   */
  #together(steps: readonly Step[]): (() => void)[] | undefined {
    this.#begin();
    let settled: (() => void)[];
    try {
      settled = this.#inTime(steps, carriedOut);
      this.#db.flush?.();
    } catch (error) {
      if (steps.length === 1) throw error;
      return undefined;
    }
    this.run('COMMIT');
    return settled;
  }

  /** Each in a savepoint: one step's failure is its own. */
  #apart(steps: readonly Step[]): (() => void)[] {
    this.#begin();
    const settled = this.#inTime(steps, (step) => this.#savepoint(step));
    this.run('COMMIT');
    return settled;
  }

  #inTime(steps: readonly Step[], carryOut: (step: Step) => () => void): (() => void)[] {
    const end = this.#now() + (this.#db.commitMs ?? COMMIT_MS);
    const settled: (() => void)[] = [];
    for (const step of steps) {
      settled.push(carryOut(step));
      if (this.#now() > end) break;
    }
    return settled;
  }

  #savepoint(step: Step): () => void {
    this.run('SAVEPOINT step');
    try {
      const settle = carriedOut(step);
      this.run('RELEASE step');
      return settle;
    } catch (error) {
      // A full disk or one that cannot be read ends the whole transaction, savepoints and all.
      if (!this.#db.isTransaction) throw error;
      this.run('ROLLBACK TO step');
      this.run('RELEASE step');
      return () => {
        this.#tell(error);
        step.reject(asError(error));
      };
    }
  }

  #begin(): void {
    this.#rollBack();
    this.run('BEGIN IMMEDIATE');
  }

  #tell(error: unknown): void {
    for (const failed of this.#watchers) failed(error);
  }

  /** A rollback that the disk refuses is repeated before the next transaction. */
  #giveUp(): void {
    try {
      this.#rollBack();
    } catch {
      return;
    }
  }

  #rollBack(): void {
    if (this.#db.isOpen && this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }
}

/** @returns what tells its caller of it, once it is committed */
function carriedOut({ work, resolve }: Step): () => void {
  const value = work();
  return () => {
    resolve(value);
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
