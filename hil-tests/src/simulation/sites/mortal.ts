import { machine } from '@whorl/gateway';
import type { Connection, Files, Ground, Statement } from '@whorl/gateway';

/** What a process that is gone says to whoever still asks it: as SQLite tells an I/O error. */
class GoneError extends Error {
  readonly errcode = 10;
  readonly code = 'EIO';
}

/** The files of this machine; nothing waits for the disk: a killed process loses nothing that the system has. */
const THIS_MACHINE: Ground = {
  files: { ...machine.files, fsyncSync: () => undefined },
  connect: (path) => {
    const connection = machine.connect(path);
    const exec = connection.exec.bind(connection);
    connection.exec = (sql) => exec(sql.replace('synchronous = FULL', 'synchronous = OFF'));
    return connection;
  },
};

/** What one run of a gateway stands on, until the process is killed, now or at a commit, or loses power. */
export class MortalGround implements Ground {
  readonly #base: Ground;
  #isAlive = true;
  #commits = Number.POSITIVE_INFINITY;
  #keepsLast = false;
  #connection: Connection | undefined;
  /** Told when it died at a commit, or for want of power. */
  onDeath: () => void = () => undefined;

  /** @param base this machine unless it says */
  constructor(base: Ground = THIS_MACHINE) {
    this.#base = base;
  }

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

  /** The power is gone: nobody closes anything any more. */
  losePower(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.onDeath();
  }

  readonly files: Files = {
    existsSync: (path) => this.#living((files) => files.existsSync(path)),
    mkdirSync: (...given) => this.#living((files) => files.mkdirSync(...given)),
    mkdtempSync: (prefix) => this.#living((files) => files.mkdtempSync(prefix)),
    openSync: (...given) => this.#living((files) => files.openSync(...given)),
    writeSync: (...given) => this.#living((files) => files.writeSync(...given)),
    fsyncSync: (file) => this.#living((files) => files.fsyncSync(file)),
    // What is open is closed with the process.
    closeSync: (file) => this.#base.files.closeSync(file),
    renameSync: (...given) => this.#living((files) => files.renameSync(...given)),
    rmSync: (...given) => this.#living((files) => files.rmSync(...given)),
    readFileSync: (...given) => this.#living((files) => files.readFileSync(...given)),
    readdirSync: (path) => this.#living((files) => files.readdirSync(path)),
    statSync: (path) => this.#living((files) => files.statSync(path)),
  };

  readonly connect = (path: string): Connection => {
    const connection = this.#base.connect(path);
    this.#connection = connection;
    const living: Guard = (work) => this.#living(work);
    const commit: Running = (work) => this.#commit(work);
    const isAlive = (): boolean => this.#isAlive;
    return {
      get isOpen() {
        return connection.isOpen;
      },
      get isTransaction() {
        return isAlive() && connection.isOpen && connection.isTransaction;
      },
      exec: (sql) => living(() => connection.exec(sql)),
      prepare: (sql) =>
        living(() => guarded(connection.prepare(sql), living, sql === 'COMMIT' ? commit : living)),
      close: () => {
        if (isAlive() && connection.isOpen) connection.close();
      },
      copyTo: (path, pages) => connection.copyTo(path, pages),
      forgetLog: () => living(() => connection.forgetLog()),
    };
  };

  #living<T>(work: (files: Files) => T): T {
    if (!this.#isAlive) throw new GoneError('the process is gone');
    return work(this.#base.files);
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
