import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, sleep, WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { DatabaseConfig } from '../../settings/database.ts';
import { pagesOf, tablesOf } from '../copy.ts';
import type { Table } from '../copy.ts';
import { machine } from '../ground.ts';
import type { Connection } from '../ground.ts';
import { migrate } from '../migrations.ts';
import { DATABASE } from '../open.ts';
import { translated } from '../sqlite-errors.ts';
import { putDifference, putRows, sumOf } from './copied-rows.ts';
import { Staging } from './staging.ts';
import type { Staged } from './staging.ts';
import { makeDirectories } from '../../settings/directories.ts';

/** Copies of the database as it was, while it is brought to the server. */
const FOLDER = 'db-copy';
/** Between one difference and the next, while the gateway works. */
const PAUSE_MS = 3_000;
/** A gateway that stops lets go of its file a moment after it answers no more. */
const LET_GO_MS = 60_000;
const LOOK_AGAIN_MS = 200;
/** A page has so many rows; so many pages are committed together. */
const PAGES_A_COMMIT = 4;

export type MoveStep =
  | { readonly step: 'rows'; readonly rows: number; readonly of: number }
  | { readonly step: 'difference'; readonly rows: number; readonly tookMs: number }
  /** The gateway works on, and the next difference will be about as small: it is time to stop it. */
  | { readonly step: 'stop' }
  | { readonly step: 'last' }
  /** Of both sides, table by table. */
  | { readonly step: 'compared'; readonly rows: number; readonly of: number };

export interface MoveOptions {
  /** The data directory with the database that is copied. */
  readonly data: string;
  readonly database: DatabaseConfig;
  /** Whether what the server holds may be replaced: it is kept aside, in a schema of another name. */
  readonly replace: boolean;
  /** Has the gateway copy its database into a file; `false` when none is at work. */
  readonly snapshot: (file: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
  readonly told: (step: MoveStep) => void;
  /** Gives up, to be gone on with by the next call. */
  readonly signal?: AbortSignal;
}

export interface MoveReport {
  readonly rows: number;
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly digest: string }[];
  /** From when the gateway let go of the database until all was there and compared. */
  readonly stoppedMs: number;
  /** Schema of what was there before. */
  readonly aside?: string;
}

/**
 * Copies the database of a data directory to a server: while a gateway works on it, a copy as of one moment, then what
 * changed since, again and again; once the gateway is stopped, the last difference. All tables are compared by count
 * and digest before they take the place of what was there. Killed or given up, the next call goes on where it was.
 * @throws WhorlError STORE_*, DATABASE_REPLACES, ABORTED
 */
export async function moveToServer(options: MoveOptions): Promise<MoveReport> {
  const path = join(options.data, DATABASE);
  if (!existsSync(path)) throw new WhorlError('STORE_MISSING', path);
  const staging = new Staging(options.database);
  try {
    if (staging.replaces && !options.replace)
      throw new WhorlError('DATABASE_REPLACES', `schema ${options.database.schema}`);
    return await new Move(options, staging).run();
  } finally {
    staging.db.close();
  }
}

/** Forgets a copy that was begun. @throws WhorlError STORE_* */
export function abandonMove({ data, database }: Pick<MoveOptions, 'data' | 'database'>): void {
  const staging = new Staging(database);
  try {
    staging.drop();
  } finally {
    staging.db.close();
  }
  rmSync(join(data, FOLDER), { recursive: true, force: true });
}

class Move {
  readonly #options: MoveOptions;
  readonly #staging: Staging;
  readonly #folder: string;
  #staged: Staged | undefined;

  constructor(options: MoveOptions, staging: Staging) {
    this.#options = options;
    this.#staging = staging;
    this.#folder = join(options.data, FOLDER);
  }

  async run(): Promise<MoveReport> {
    const { clock, told, signal } = this.#options;
    makeDirectories(this.#folder);
    this.#staged = this.#staging.open();
    if (this.#staged !== undefined && !existsSync(this.#file(this.#staged.base))) this.#staged = undefined;
    this.#tidy();
    let isTold = false;
    for (;;) {
      if (signal?.aborted === true)
        throw new WhorlError('ABORTED', 'copying was given up; it can be gone on with');
      if (this.#staged !== undefined && !this.#staged.whole) await this.#copyAll(this.#staged);
      const base = Buffer.from(this.#options.random(8)).toString('hex');
      if (!(await this.#options.snapshot(this.#file(base)))) break;
      if (this.#staged === undefined) await this.#beginWith(base);
      else {
        this.#difference(this.#staged, base);
        if (!isTold) told({ step: 'stop' });
        isTold = true;
        await sleep(clock, PAUSE_MS, signal).catch(() => undefined);
      }
    }
    return this.#last();
  }

  #file(base: string): string {
    return join(this.#folder, `${base}.db`);
  }

  /** Copies that nothing is made from any more. */
  #tidy(): void {
    for (const name of readdirSync(this.#folder))
      if (this.#staged === undefined || !name.startsWith(`${this.#staged.base}.db`))
        rmSync(join(this.#folder, name), { force: true });
  }

  async #beginWith(base: string): Promise<void> {
    const file = opened(this.#file(base));
    try {
      this.#staging.begin(file);
    } finally {
      file.close();
    }
    await this.#copyAll({ base, whole: false, tables: 0, after: '' });
  }

  /** Goes on behind what is there. */
  async #copyAll(from: Staged): Promise<void> {
    const { db } = this.#staging;
    const file = opened(this.#file(from.base));
    try {
      const tables = tablesOf(file);
      const of = allOf(file, tables);
      let rows = tables.slice(0, from.tables).reduce((sum, { name }) => sum + countOf(db, name), 0);
      this.#commit(from, () => undefined);
      for (const [index, table] of tables.entries()) {
        if (index < from.tables) continue;
        const after = index === from.tables && from.after !== '' ? keyOf(from.after) : undefined;
        if (after !== undefined) rows += countOf(db, table.name);
        for (const pages of chunked(pagesOf(file, table, after), PAGES_A_COMMIT)) {
          const last = pages.at(-1)?.at(-1) ?? {};
          const state = { base: from.base, whole: false, tables: index, after: keyText(table, last) };
          this.#commit(state, () => pages.forEach((page) => putRows(db, table, page)));
          rows += pages.reduce((sum, page) => sum + page.length, 0);
          this.#options.told({ step: 'rows', rows, of });
          await sleep(this.#options.clock, 0);
          if (this.#options.signal?.aborted === true)
            throw new WhorlError('ABORTED', `${rows} of ${of} rows are there; the same command goes on`);
        }
        this.#commit({ base: from.base, whole: false, tables: index + 1, after: '' }, () => undefined);
      }
      this.#commit({ base: from.base, whole: true, tables: tables.length, after: '' }, () => undefined);
    } finally {
      file.close();
    }
  }

  #difference(from: Staged, base: string): void {
    const { clock, told } = this.#options;
    const began = clock.now();
    const now = opened(this.#file(base));
    let rows = 0;
    try {
      const before = this.#file(from.base);
      this.#commit({ ...from, base }, () => {
        rows = putDifference(this.#staging.db, { now, before, tables: tablesOf(now) });
      });
    } finally {
      now.close();
    }
    this.#tidy();
    told({ step: 'difference', rows, tookMs: Math.round(clock.now() - began) });
  }

  /** The gateway is stopped: nobody changes the file any more. */
  async #last(): Promise<MoveReport> {
    const { clock, told } = this.#options;
    const began = clock.now();
    told({ step: 'last' });
    const file = await this.#whenFree(join(this.#options.data, DATABASE));
    try {
      const tables = tablesOf(file);
      const from = this.#staged;
      const { db } = this.#staging;
      if (from === undefined) this.#staging.begin(file);
      const done = this.#inTransaction(() => {
        const of = allOf(file, tables);
        if (from !== undefined) putDifference(db, { now: file, before: this.#file(from.base), tables });
        else this.#putAll(file, tables, of);
        let rows = 0;
        const sums = tables.map((table) => {
          const sum = compared(table, file, db);
          rows += sum.rows;
          if (sum.rows > 0) told({ step: 'compared', rows, of });
          return sum;
        });
        const aside = this.#staging.take(tables, (table) => highest(file, table), clock.wallTime());
        return { tables: sums, ...(aside === undefined ? {} : { aside }) };
      });
      rmSync(this.#folder, { recursive: true, force: true });
      const rows = done.tables.reduce((sum, table) => sum + table.rows, 0);
      return { ...done, rows, stoppedMs: Math.round(clock.now() - began) };
    } finally {
      file.close();
    }
  }

  #putAll(file: Connection, tables: readonly Table[], of: number): void {
    let rows = 0;
    for (const table of tables)
      for (const page of pagesOf(file, table)) {
        rows += putRows(this.#staging.db, table, page);
        this.#options.told({ step: 'rows', rows, of });
      }
  }

  async #whenFree(path: string): Promise<Connection> {
    const { clock } = this.#options;
    for (const end = clock.now() + LET_GO_MS; ;) {
      try {
        return opened(path);
      } catch (error) {
        if (codeOf(error) !== 'STORE_BUSY' || clock.now() > end) throw error;
        await sleep(clock, LOOK_AGAIN_MS);
      }
    }
  }

  #commit(state: Staged, work: () => void): void {
    this.#inTransaction(() => {
      work();
      this.#staging.keep(state);
    });
    this.#staged = state;
  }

  #inTransaction<T>(work: () => T): T {
    const { db } = this.#staging;
    db.exec('BEGIN IMMEDIATE');
    try {
      const value = work();
      db.exec('COMMIT');
      return value;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

/** At this release's schema. */
function opened(path: string): Connection {
  return translated(path, () => {
    const file = machine.connect(path);
    try {
      migrate(file);
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  });
}

/** @throws Error when a table does not hold what the other does */
function compared(table: Table, file: Connection, server: Connection): MoveReport['tables'][number] {
  const [here, there] = [sumOf(file, table), sumOf(server, table)];
  if (here.rows !== there.rows || here.digest !== there.digest)
    throw new Error(`${table.name}: ${here.rows} rows, ${there.rows} arrived, and they are not the same`);
  return { name: table.name, ...here };
}

function allOf(db: Connection, tables: readonly Table[]): number {
  return tables.reduce((sum, { name }) => sum + countOf(db, name), 0);
}

function countOf(db: Connection, table: string): number {
  return Number(db.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count']);
}

function highest(file: Connection, { name }: Table): number {
  return Number(file.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(name)?.['seq'] ?? 0);
}

function keyText({ key }: Table, row: Record<string, unknown>): string {
  return JSON.stringify(
    key.map((column) => {
      const value = row[column];
      return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('base64') } : value;
    }),
  );
}

function keyOf(text: string): (string | number | Uint8Array)[] {
  const values = JSON.parse(text) as (string | number | { readonly bytes: string })[];
  return values.map((value) => (typeof value === 'object' ? Buffer.from(value.bytes, 'base64') : value));
}

function* chunked<T>(all: Iterable<T>, size: number): Iterable<T[]> {
  let some: T[] = [];
  for (const one of all) {
    some.push(one);
    if (some.length < size) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
