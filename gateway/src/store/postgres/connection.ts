import { createHash } from 'node:crypto';
import type { SQLOutputValue } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { WhorlError } from '@whorl/protocol';
import type { Connection, Statement } from '../ground.ts';
import { copyRows, sqliteSide } from '../copy.ts';
import type { Side } from '../copy.ts';
import { machine } from '../ground.ts';
import { migrate } from '../migrations.ts';
import { Client } from './client.ts';
import type { Asked, ClientSettings, Value } from './client.ts';
import { toPostgres } from './dialect.ts';
import { receivedError } from '../thread/messages.ts';
import type { SentError } from '../thread/messages.ts';
import { channelOf, HeldRoles } from './roles.ts';

/** What the thread is started with that makes a copy. */
export interface CopyPlan {
  readonly settings: ClientSettings;
  /** Of the SQLite file. */
  readonly path: string;
}

const COMMIT = 'COMMIT';
const ROLLBACK = 'ROLLBACK';
/** A commit is a round trip to the server and a sync of its disk: more is taken into one than on a disk of ours. */
const COMMIT_MS = 20;

type Row = Record<string, SQLOutputValue>;

/**
 * A PostgreSQL database as the tables see it. A statement outside a transaction is one of its own.
 * Errors are WhorlError STORE_* already.
 */
export class PostgresConnection implements Connection {
  readonly #client: Client;
  readonly #settings: ClientSettings;
  /** What falls to this process of those that share the schema. */
  readonly roles: HeldRoles | undefined;
  readonly commitMs = COMMIT_MS;
  readonly copiesAside = true;
  /** What ends a transaction: of several processes, each tells the others. */
  readonly #commit: string;
  #isOpen = true;
  #isTransaction = false;

  /** @param told called when another process has written something */
  constructor(settings: ClientSettings, told?: () => void) {
    const { member, schema } = settings;
    this.#settings = settings;
    this.#client = new Client(settings, told);
    this.roles = member === undefined ? undefined : new HeldRoles(this, schema, member);
    this.#commit = member === undefined ? COMMIT : `SELECT pg_notify('${channelOf(schema)}', ''); ${COMMIT}`;
  }

  /** Counts connections to the server. */
  get generation(): number {
    return this.#client.generation;
  }

  /** A connection that has not the house is of no use from now on. */
  keepHouse(): void {
    this.#client.keepHouse();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isTransaction(): boolean {
    return this.#isTransaction;
  }

  exec(sql: string): void {
    this.#ask({ sql: toPostgres(sql), values: [] });
  }

  flush(): void {
    if (this.#client.hasPutOff) this.exec('SELECT 1');
  }

  prepare(sql: string): Statement {
    const text = toPostgres(sql);
    // Those without values may be several in one, which cannot be prepared.
    const name = text.includes('$') ? createHash('sha256').update(text).digest('base64url') : undefined;
    const ask = (values: readonly unknown[]) => this.#ask({ sql: text, values: values.map(bound), name });
    return {
      put: (...values) => {
        const asked = { sql: text, values: values.map(bound), name };
        if (this.#isTransaction) this.#client.putOff(asked);
        else this.#ask(asked);
      },
      get: (...values) => ask(values).rows[0] as Row | undefined,
      all: (...values) => [...ask(values).rows] as Row[],
      run: (...values) => ({ changes: ask(values).changes }),
    };
  }

  /** In a thread of its own and over a connection of its own: meanwhile this one goes on, and so do writes. */
  copyTo(path: string): Promise<void> {
    // As one of several it is somebody's name, which nobody has twice.
    const { member: _, ...settings } = this.#settings;
    const plan: CopyPlan = { settings: { ...settings, looks: true }, path };
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./copy-worker.ts', import.meta.url), { workerData: plan });
      worker.once('message', (error: SentError) => reject(receivedError(error)));
      worker.once('error', reject);
      worker.once('exit', (code) => {
        if (code === 0) resolve();
        else reject(new WhorlError('STORE_IO', `the thread that copies to ${path} ended with ${code}`));
      });
    });
  }

  /** Into an SQLite file of the same contents, which backups are made of. @throws WhorlError STORE_* */
  copyHere(path: string): void {
    const copy = machine.connect(path);
    try {
      migrate(copy);
      this.exec('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      copy.exec('BEGIN');
      copyRows(postgresSide(this), sqliteSide(copy), copy);
      copy.exec('COMMIT');
    } finally {
      if (this.#isTransaction) this.exec('ROLLBACK');
      copy.close();
    }
  }

  /** What was destroyed does not stay in the table's file. The server's own log and backups are its keeper's. */
  forgetLog(): void {
    this.exec('VACUUM keys');
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#client.end();
  }

  #ask(asked: Asked) {
    const { sql } = asked;
    const within = this.#isTransaction;
    // What goes wrong in the statement that begins it may leave a transaction behind.
    if (sql.startsWith('BEGIN')) this.#isTransaction = true;
    if (sql.startsWith(ROLLBACK)) this.#client.forgetPutOff();
    try {
      const outcome = this.#client.ask(sql === COMMIT ? { sql: this.#commit, values: [] } : asked, within);
      if (sql === COMMIT || sql === ROLLBACK) this.#isTransaction = false;
      return outcome;
    } catch (error) {
      // With the connection the transaction has gone.
      if (this.#client.isLost) this.#isTransaction = false;
      throw error;
    }
  }
}

export const postgresSide = (db: PostgresConnection): Side => ({
  db,
  give: ({ name, key }, highest) => {
    const sequence = `pg_get_serial_sequence('${name}', '${key.join()}')`;
    if (highest > 0) db.prepare(`SELECT setval(${sequence}, ?)`).get(highest);
  },
});

/** Columns hold whole numbers: parts of a millisecond are cut off. */
function bound(value: unknown): Value {
  return typeof value === 'number' ? Math.trunc(value) : (value as Value);
}
