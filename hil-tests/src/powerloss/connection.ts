import { FORGET_LOG } from '@whorl/gateway/store/ground';
import type { Connection, Statement } from '@whorl/gateway';
import type { Engine } from './engine.ts';

type Value = Parameters<Statement['get']>[number];
type Row = NonNullable<ReturnType<Statement['get']>>;

const OK = 0;
const ROW = 100;
const DONE = 101;
const READ_WRITE_CREATE = 6;
/** SQLITE_TRANSIENT: what is bound is copied. */
const COPIED = -1;
const [INTEGER, FLOAT, TEXT, BLOB] = [1, 2, 3, 4];

/** An error of SQLite, as node:sqlite tells it. */
class EngineError extends Error {
  readonly errcode: number;

  constructor(message: string, errcode: number) {
    super(message);
    this.errcode = errcode;
  }
}

/**
 * Opens a database with the shape of node:sqlite's `DatabaseSync`.
 * @param told changes what is executed
 */
export function connectTo(engine: Engine, path: string, told: (sql: string) => string): Connection {
  return new EngineConnection(engine, path, told);
}

class EngineConnection implements Connection {
  readonly #engine: Engine;
  readonly #statements = new Set<number>();
  readonly #db: number;
  readonly #told: (sql: string) => string;
  isOpen = true;

  constructor(engine: Engine, path: string, told: (sql: string) => string) {
    this.#engine = engine;
    this.#told = told;
    const { calls } = engine;
    const into = calls._malloc(4);
    const code = withText(engine, path, (at) => calls._sqlite3_open_v2(at, into, READ_WRITE_CREATE, 0));
    this.#db = engine.heap().readUInt32LE(into);
    calls._free(into);
    this.#check(code);
  }

  get isTransaction(): boolean {
    return this.isOpen && this.#engine.calls._sqlite3_get_autocommit(this.#db) === 0;
  }

  exec(sql: string): void {
    const { calls } = this.#engine;
    this.#check(withText(this.#engine, this.#told(sql), (at) => calls._sqlite3_exec(this.#db, at, 0, 0, 0)));
  }

  prepare(sql: string): Statement {
    const { calls } = this.#engine;
    const into = calls._malloc(4);
    const code = withText(this.#engine, sql, (at) => calls._sqlite3_prepare_v2(this.#db, at, -1, into, 0));
    const statement = this.#engine.heap().readUInt32LE(into);
    calls._free(into);
    this.#check(code);
    this.#statements.add(statement);
    return new EngineStatement(
      this.#engine,
      statement,
      (result) => this.#check(result),
      () => calls._sqlite3_changes(this.#db),
    );
  }

  close(): void {
    const { calls } = this.#engine;
    for (const statement of this.#statements) calls._sqlite3_finalize(statement);
    this.#statements.clear();
    calls._sqlite3_close_v2(this.#db);
    this.isOpen = false;
  }

  copyTo(): Promise<never> {
    return Promise.reject(new Error('a simulated disk has no copies'));
  }

  forgetLog(): void {
    this.exec(FORGET_LOG);
  }

  #check(code: number): void {
    if (code === OK || code === ROW || code === DONE) return;
    const message = textAt(this.#engine, this.#engine.calls._sqlite3_errmsg(this.#db));
    throw new EngineError(message, code);
  }
}

class EngineStatement implements Statement {
  readonly #engine: Engine;
  readonly #statement: number;
  readonly #check: (code: number) => void;
  readonly #changes: () => number;
  #columns: string[] | undefined;

  constructor(engine: Engine, statement: number, check: (code: number) => void, changes: () => number) {
    this.#engine = engine;
    this.#statement = statement;
    this.#check = check;
    this.#changes = changes;
  }

  get(...values: Value[]): Row | undefined {
    return this.#run(values, () => (this.#step() ? this.#row() : undefined));
  }

  all(...values: Value[]): Row[] {
    return this.#run(values, () => {
      const rows: Row[] = [];
      while (this.#step()) rows.push(this.#row());
      return rows;
    });
  }

  run(...values: Value[]): { changes: number } {
    return this.#run(values, () => {
      while (this.#step());
      return { changes: this.#changes() };
    });
  }

  #run<T>(values: readonly Value[], work: () => T): T {
    const { calls } = this.#engine;
    try {
      for (const [index, value] of values.entries()) this.#check(this.#bind(index + 1, value));
      return work();
    } finally {
      calls._sqlite3_reset(this.#statement);
      calls._sqlite3_clear_bindings(this.#statement);
    }
  }

  #step(): boolean {
    const code = this.#engine.calls._sqlite3_step(this.#statement);
    this.#check(code);
    return code === ROW;
  }

  #bind(at: number, value: Value): number {
    const { calls } = this.#engine;
    const to = this.#statement;
    if (value === null) return calls._sqlite3_bind_null(to, at);
    if (typeof value === 'bigint') return calls._sqlite3_bind_int64(to, at, value);
    if (typeof value === 'number')
      return Number.isSafeInteger(value)
        ? calls._sqlite3_bind_int64(to, at, BigInt(value))
        : calls._sqlite3_bind_double(to, at, value);
    if (typeof value === 'string') {
      const bytes = Buffer.byteLength(value);
      return withText(this.#engine, value, (from) => calls._sqlite3_bind_text(to, at, from, bytes, COPIED));
    }
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return withBytes(this.#engine, bytes, (from) =>
      calls._sqlite3_bind_blob(to, at, from, bytes.length, COPIED),
    );
  }

  #row(): Row {
    const { calls } = this.#engine;
    this.#columns ??= Array.from({ length: calls._sqlite3_column_count(this.#statement) }, (_, column) =>
      textAt(this.#engine, calls._sqlite3_column_name(this.#statement, column)),
    );
    const row: Row = {};
    for (const [column, name] of this.#columns.entries()) row[name] = this.#column(column);
    return row;
  }

  #column(column: number): Row[string] {
    const { calls } = this.#engine;
    const from = this.#statement;
    switch (calls._sqlite3_column_type(from, column)) {
      case INTEGER:
        return Number(calls._sqlite3_column_int64(from, column));
      case FLOAT:
        return calls._sqlite3_column_double(from, column);
      case TEXT: {
        const at = calls._sqlite3_column_text(from, column);
        return this.#engine.heap().toString('utf8', at, at + calls._sqlite3_column_bytes(from, column));
      }
      case BLOB: {
        const at = calls._sqlite3_column_blob(from, column);
        const bytes = calls._sqlite3_column_bytes(from, column);
        return Uint8Array.from(this.#engine.heap().subarray(at, at + bytes));
      }
      default:
        return null;
    }
  }
}

function withText<T>(engine: Engine, text: string, work: (at: number) => T): T {
  return withBytes(engine, Buffer.from(`${text}\0`), work);
}

/** What is empty has an address too: to SQLite no address means NULL. */
function withBytes<T>(engine: Engine, bytes: Uint8Array, work: (at: number) => T): T {
  const { calls } = engine;
  const at = calls._malloc(bytes.length + 1);
  engine.heap().set(bytes, at);
  try {
    return work(at);
  } finally {
    calls._free(at);
  }
}

function textAt(engine: Engine, at: number): string {
  const heap = engine.heap();
  return heap.toString('utf8', at, heap.indexOf(0, at));
}
