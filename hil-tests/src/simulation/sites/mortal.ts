import { machine } from '@whorl/gateway';
import type { Connection, Files, Ground, Statement } from '@whorl/gateway';

/** What a process that is gone says to whoever still asks it: as SQLite tells an I/O error. */
class GoneError extends Error {
  readonly errcode = 10;
  readonly code = 'EIO';
}

/**
 * What one run of a gateway stands on: the files of this machine, until the process is killed, now or at a commit. Nothing
 * waits for the disk: a killed process loses nothing that the system has.
 */
export class MortalGround implements Ground {
  #isAlive = true;
  #commits = Number.POSITIVE_INFINITY;
  #keepsLast = false;
  #connection: Connection | undefined;
  /** Told when it died at a commit. */
  onDeath: () => void = () => undefined;

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** The database that was opened last. */
  get database(): Connection {
    if (this.#connection === undefined) throw new Error('no database was opened yet');
    return this.#connection;
  }

  /** @param keeps whether what is committed then is on the disk */
  dieAtCommit(commits: number, keeps: boolean): void {
    this.#commits = commits;
    this.#keepsLast = keeps;
  }

  die(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    if (this.#connection?.isOpen === true) this.#connection.close();
    this.onDeath();
  }

  readonly files: Files = {
    ...machine.files,
    existsSync: (path) => this.#living(() => machine.files.existsSync(path)),
    openSync: (...given) => this.#living(() => machine.files.openSync(...given)),
    writeSync: (...given) => this.#living(() => machine.files.writeSync(...given)),
    renameSync: (...given) => this.#living(() => machine.files.renameSync(...given)),
    rmSync: (...given) => this.#living(() => machine.files.rmSync(...given)),
    readFileSync: (...given) => this.#living(() => machine.files.readFileSync(...given)),
    fsyncSync: () => undefined,
  };

  readonly connect = (path: string): Connection => {
    const connection = machine.connect(path);
    this.#connection = connection;
    const living = <T>(work: () => T): T => this.#living(work);
    const commit = (work: () => { changes: number | bigint }): { changes: number | bigint } =>
      this.#commit(work);
    return {
      get isOpen() {
        return connection.isOpen;
      },
      get isTransaction() {
        return connection.isOpen && connection.isTransaction;
      },
      exec: (sql) => living(() => connection.exec(sql.replace('synchronous = FULL', 'synchronous = OFF'))),
      prepare: (sql) =>
        living(() => guarded(connection.prepare(sql), living, sql === 'COMMIT' ? commit : living)),
      close: () => {
        if (connection.isOpen) connection.close();
      },
      copyTo: (path, pages) => connection.copyTo(path, pages),
      forgetLog: () => living(() => connection.forgetLog()),
    };
  };

  #living<T>(work: () => T): T {
    if (!this.#isAlive) throw new GoneError('the process is gone');
    return work();
  }

  #commit<T>(work: () => T): T {
    this.#commits -= 1;
    if (this.#commits > 0) return this.#living(work);
    if (this.#isAlive && this.#keepsLast) work();
    this.die();
    throw new GoneError('the process was killed at a commit');
  }
}

type Guard = <T>(work: () => T) => T;
type Running = (work: () => { changes: number | bigint }) => { changes: number | bigint };

function guarded(statement: Statement, living: Guard, running: Running): Statement {
  return {
    get: (...values) => living(() => statement.get(...values)),
    all: (...values) => living(() => statement.all(...values)),
    run: (...values) => running(() => statement.run(...values)),
  };
}
