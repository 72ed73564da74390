import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';
import type { Random } from '@whorl/protocol';
import type { EngineFiles } from './files.ts';

/** What of the compiled SQLite is called here: addresses and numbers. */
export interface SqliteCalls {
  readonly _malloc: (bytes: number) => number;
  readonly _free: (address: number) => void;
  readonly _sqlite3_open_v2: (path: number, into: number, flags: number, vfs: number) => number;
  readonly _sqlite3_close_v2: (db: number) => number;
  readonly _sqlite3_exec: (db: number, sql: number, call: number, data: number, error: number) => number;
  readonly _sqlite3_prepare_v2: (
    db: number,
    sql: number,
    bytes: number,
    into: number,
    tail: number,
  ) => number;
  readonly _sqlite3_finalize: (statement: number) => number;
  readonly _sqlite3_step: (statement: number) => number;
  readonly _sqlite3_reset: (statement: number) => number;
  readonly _sqlite3_clear_bindings: (statement: number) => number;
  readonly _sqlite3_bind_null: (statement: number, at: number) => number;
  readonly _sqlite3_bind_double: (statement: number, at: number, value: number) => number;
  readonly _sqlite3_bind_int64: (statement: number, at: number, value: bigint) => number;
  readonly _sqlite3_bind_text: (
    statement: number,
    at: number,
    from: number,
    bytes: number,
    free: number,
  ) => number;
  readonly _sqlite3_bind_blob: (
    statement: number,
    at: number,
    from: number,
    bytes: number,
    free: number,
  ) => number;
  readonly _sqlite3_column_count: (statement: number) => number;
  readonly _sqlite3_column_name: (statement: number, column: number) => number;
  readonly _sqlite3_column_type: (statement: number, column: number) => number;
  readonly _sqlite3_column_int64: (statement: number, column: number) => bigint;
  readonly _sqlite3_column_double: (statement: number, column: number) => number;
  readonly _sqlite3_column_text: (statement: number, column: number) => number;
  readonly _sqlite3_column_blob: (statement: number, column: number) => number;
  readonly _sqlite3_column_bytes: (statement: number, column: number) => number;
  readonly _sqlite3_changes: (db: number) => number;
  readonly _sqlite3_get_autocommit: (db: number) => number;
  readonly _sqlite3_errmsg: (db: number) => number;
  readonly addFunction: (work: (file: number) => number, signature: string) => number;
}

/** SQLite itself, compiled to WebAssembly, on a simulated disk. */
export interface Engine {
  readonly calls: SqliteCalls;
  /** Its memory as it is at the moment: it moves when it grows. */
  heap(): Buffer;
}

type Exports = Readonly<Record<string, unknown>>;
type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Memory {
  readonly buffer: ArrayBuffer;
}

/** Node has it; the compiler's libraries for Node do not. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: Imports) => { readonly exports: Exports };
  readonly Memory: new (size: { readonly initial: number }) => Memory;
  readonly RuntimeError: typeof Error;
};

const PATH = createRequire(import.meta.url).resolve('node-sqlite3-wasm');
const NAMES = ['require', 'module', '__dirname', '__filename', 'WebAssembly'];

/** Compiled once; each engine is an instance of its own. */
const compiled: { glue?: ReturnType<typeof compileFunction>; wasm?: object } = {};

/**
 * Starts an engine. The package's own code is run with another file system, random numbers and loader in place of the
 * machine's: nothing of SQLite is changed.
 * @param random seeds SQLite's own random numbers
 */
export function startEngine(files: EngineFiles, random: Random): Engine {
  const glue = (compiled.glue ??= compileFunction(readFileSync(PATH, 'utf8'), NAMES, { filename: PATH }));
  const wasm = (compiled.wasm ??= new WebAssembly.Module(
    readFileSync(join(dirname(PATH), 'node-sqlite3-wasm.wasm')),
  ));
  const crypto = { randomFillSync: (into: Uint8Array) => into.set(random.bytes(into.length)) };
  const modules = new Map<string, unknown>([
    ['node:fs', files],
    ['node:crypto', crypto],
  ]);
  const real = createRequire(PATH);
  const require = (name: string): unknown => modules.get(name) ?? real(name);
  const module: { exports: Partial<SqliteCalls> } = { exports: {} };
  const started: { memory?: Memory | undefined } = {};
  const loader = {
    RuntimeError: WebAssembly.RuntimeError,
    Module: function (bytes: Uint8Array) {
      return bytes.length === 0 ? wasm : new WebAssembly.Module(bytes);
    },
    Instance: function (of: object, imports: Imports) {
      if (of !== wasm) return new WebAssembly.Instance(of, imports);
      const instance = new WebAssembly.Instance(wasm, likeUnix(imports, started, module.exports));
      started.memory = Object.values(instance.exports).find((one) => one instanceof WebAssembly.Memory);
      return instance;
    },
  };
  Reflect.apply(glue, undefined, [require, module, dirname(PATH), PATH, loader]);
  const { memory } = started;
  if (memory === undefined || !isComplete(module.exports)) throw new Error(`${PATH} is not what it was`);
  let heap = Buffer.from(memory.buffer);
  return {
    calls: module.exports,
    heap: () => (heap.buffer === memory.buffer ? heap : (heap = Buffer.from(memory.buffer))),
  };
}

function isComplete(calls: Partial<SqliteCalls>): calls is SqliteCalls {
  return calls._sqlite3_open_v2 !== undefined && calls._sqlite3_errmsg !== undefined;
}

const POWERSAFE_OVERWRITE = 0x1000;
/** Where sqlite3_io_methods has xDeviceCharacteristics, in words. */
const CHARACTERISTICS = 12;

/**
 * On Unix, SQLite takes a disk to leave alone what stands beside the bytes that it writes when the power goes, and
 * writes less for it; the package does not. The engine here is to write as the gateway's does.
 */
function likeUnix(
  imports: Imports,
  started: { readonly memory?: Memory | undefined },
  calls: Partial<SqliteCalls>,
): Imports {
  let told = false;
  const tell = (file: number): void => {
    const { memory } = started;
    if (told || memory === undefined || calls.addFunction === undefined) return;
    told = true;
    const words = new Uint32Array(memory.buffer);
    const methods = words[file / 4] ?? 0;
    const index = calls.addFunction(() => POWERSAFE_OVERWRITE, 'ii');
    new Uint32Array(memory.buffer)[methods / 4 + CHARACTERISTICS] = index;
  };
  const all = Object.entries(imports['a'] ?? {}).map(([key, value]) => {
    const isRead = typeof value === 'function' && value.name === '_nodejsRead';
    if (!isRead) return [key, value] as const;
    const read = (file: number, ...rest: unknown[]): unknown => {
      tell(file);
      return Reflect.apply(value, undefined, [file, ...rest]);
    };
    return [key, read] as const;
  });
  return { ...imports, a: Object.fromEntries(all) };
}
