import { WhorlError } from '@whorl/protocol';
import type { DatabaseConfig } from '../../settings/database.ts';
import { alone } from '../../settings/database.ts';
import { tablesOf } from '../copy.ts';
import type { Table } from '../copy.ts';
import type { Connection } from '../ground.ts';
import { PostgresConnection, postgresSide } from './connection.ts';
import { HOUSE_OF } from './roles.ts';
import { migratePostgres } from './schema.ts';
import { serverSettings } from './settings.ts';

/** How far a copy is: which state of the database is there, or is being brought there. */
export interface Staged {
  /** Names a copy of the database in the data directory. */
  readonly base: string;
  /** Whether all of it is there; else so many tables are, and of the next one all up to a key. */
  readonly whole: boolean;
  readonly tables: number;
  readonly after: string;
}

const STATE = `CREATE TABLE IF NOT EXISTS copy_state
  (base text NOT NULL, whole bigint NOT NULL, tables bigint NOT NULL, after text NOT NULL)`;

/** A schema beside the one that is meant, until all is in it: then it takes that one's name. */
export class Staging {
  readonly db: PostgresConnection;
  readonly #schema: string;
  readonly #staging: string;

  /** @throws WhorlError STORE_*; STORE_BUSY while a gateway, or another copy, works there */
  constructor(config: DatabaseConfig) {
    const settings = serverSettings(alone(config));
    this.#schema = settings.schema;
    this.#staging = `${settings.schema.slice(0, 50)}_incoming`;
    this.db = new PostgresConnection({ ...settings, schema: this.#staging });
    if (this.db.prepare(HOUSE_OF).get(this.#schema)?.['held']) return;
    this.db.close();
    throw new WhorlError('STORE_BUSY', `a gateway works on schema ${this.#schema}`);
  }

  /** Makes the schema where it is not there, and tells how far it is. */
  open(): Staged | undefined {
    migratePostgres(this.db, this.#staging);
    this.db.exec(STATE);
    const row = this.db.prepare('SELECT * FROM copy_state').get();
    if (row === undefined) return undefined;
    const { base, whole, tables, after } = row;
    return { base: String(base), whole: Number(whole) === 1, tables: Number(tables), after: String(after) };
  }

  /** Begins anew: nothing of what was copied stays. What counts and logs by itself counts and logs nothing meanwhile. */
  begin(shape: Connection): void {
    this.drop();
    migratePostgres(this.db, this.#staging);
    this.db.exec(STATE);
    this.#triggers(tablesOf(shape), 'DISABLE');
  }

  /** To be called in the transaction that brought it there. */
  keep({ base, whole, tables, after }: Staged): void {
    this.db.prepare('DELETE FROM copy_state').run();
    this.db
      .prepare('INSERT INTO copy_state (base, whole, tables, after) VALUES (?, ?, ?, ?)')
      .run(base, whole ? 1 : 0, tables, after);
  }

  drop(): void {
    this.db.exec(`DROP SCHEMA IF EXISTS "${this.#staging}" CASCADE`);
  }

  /** Whether something is there that a gateway has used. */
  get replaces(): boolean {
    const isThere = 'SELECT count(*) AS count FROM pg_tables WHERE schemaname = ? AND tablename = ?';
    if (this.db.prepare(isThere).get(this.#schema, 'masters')?.['count'] === 0) return false;
    return this.db.prepare(`SELECT number FROM "${this.#schema}".masters LIMIT 1`).get() !== undefined;
  }

  /**
   * Takes the place of the schema that is meant; to be called in a transaction, with all rows there.
   * @param numbers the highest number that each table gave out
   * @returns the name that what was there has now
   */
  take(tables: readonly Table[], numbers: (table: Table) => number, now: number): string | undefined {
    const side = postgresSide(this.db);
    for (const table of tables) if (table.counts) side.give(table, numbers(table));
    this.db.exec(
      'INSERT INTO ledger_counts SELECT terminal, state, count(*) FROM ledger GROUP BY terminal, state',
    );
    this.#triggers(tables, 'ENABLE');
    this.db.exec('DROP TABLE copy_state');
    const aside = this.replaces ? `${this.#schema.slice(0, 40)}_replaced_${now}` : undefined;
    if (aside !== undefined) this.db.exec(`ALTER SCHEMA "${this.#schema}" RENAME TO "${aside}"`);
    else this.db.exec(`DROP SCHEMA IF EXISTS "${this.#schema}" CASCADE`);
    this.db.exec(`ALTER SCHEMA "${this.#staging}" RENAME TO "${this.#schema}"`);
    return aside;
  }

  #triggers(tables: readonly Table[], how: 'ENABLE' | 'DISABLE'): void {
    for (const { name } of tables) this.db.exec(`ALTER TABLE ${name} ${how} TRIGGER USER`);
  }
}
