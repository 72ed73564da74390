import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, WhorlError } from '@whorl/protocol';
import { machineInRealTime } from '../ground.ts';
import type { Store } from '../store.ts';
import { receivedError } from './messages.ts';
import type { Answer, Call, ThreadPlan } from './messages.ts';
import { METHODS } from './methods.ts';
import type { MethodOf, Parts } from './methods.ts';
import { PACKINGS } from './packing.ts';

/** Calls of one round of the event loop go together; so many do not wait for its end, so that the thread works meanwhile. */
const AT_ONCE = 16;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly unpack: ((value: unknown) => unknown) | undefined;
}

export interface ThreadOptions extends ThreadPlan {
  /** Told when the thread ended though nobody closed the store: nothing can be stored any more. */
  readonly ended?: (error: Error) => void;
}

/**
 * Opens the store of a data directory as `openStore` does, in a thread of its own: neither the disk nor the work on the
 * database holds up who asks.
 * @throws WhorlError STORE_*, VAULT_*
 */
export async function openStoreThread({
  data,
  database,
  fresh,
  ground,
  ended,
}: ThreadOptions): Promise<Store> {
  const thread = new StoreThread({ data, database, fresh, ground, cache: compileCache() }, ended);
  await thread.open;
  return storeBehind(thread);
}

function compileCache(): string | undefined {
  const directory = getCompileCacheDir();
  // Node keeps what each of its releases compiled apart, in directories of their own.
  return directory === undefined ? undefined : dirname(directory);
}

class StoreThread {
  /** Fulfilled once the database is open. */
  readonly open: Promise<void>;
  readonly #worker: Worker;
  readonly #ended: ((error: Error) => void) | undefined;
  readonly #gone: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #watchers = new Set<(error: unknown) => void>();
  readonly #told = new Set<() => void>();
  #opened: (error: Error | undefined) => void = () => undefined;
  #isOpen = false;
  #calls: Call[] = [];
  #last = 0;
  /** Why nothing can be asked any more. */
  #over: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(plan: ThreadPlan, ended: ((error: Error) => void) | undefined) {
    this.#ended = ended;
    this.#worker = new Worker(new URL('./boot.ts', import.meta.url), { workerData: plan });
    this.open = new Promise((resolve, reject) => {
      this.#opened = (error) => {
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    let cause: unknown;
    this.#worker.on('error', (error: unknown) => {
      cause = error;
    });
    // Whoever asked would wait for ever.
    this.#worker.on('messageerror', (error: unknown) => {
      cause = error;
      void this.#worker.terminate();
    });
    this.#worker.on('message', (answers: readonly Answer[]) => {
      for (const one of answers) this.#take(one);
    });
    this.#gone = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#end(cause ?? `it ended with ${code}`);
        resolve();
      });
    });
  }

  watch(failed: (error: unknown) => void): () => void {
    this.#watchers.add(failed);
    return () => void this.#watchers.delete(failed);
  }

  watchOthers(told: () => void): () => void {
    this.#told.add(told);
    return () => void this.#told.delete(told);
  }

  ask(part: string, method: string, given: readonly unknown[]): Promise<unknown> {
    const { pack, unpackAnswer: unpack } = PACKINGS.get(`${part}.${method}`) ?? {};
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) {
        reject(this.#over);
        return;
      }
      this.#last += 1;
      this.#waiting.set(this.#last, { resolve, reject, unpack });
      this.#calls.push([this.#last, part, method, pack?.(given) ?? given]);
      if (this.#calls.length === 1) machineInRealTime.gather?.(() => this.#flush());
      else if (this.#calls.length === AT_ONCE) this.#flush();
    });
  }

  /** What was asked before is done first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#over === undefined) await this.ask('store', 'close', []);
    await this.#gone;
  }

  #flush(): void {
    const calls = this.#calls;
    if (calls.length === 0) return;
    this.#calls = [];
    try {
      this.#worker.postMessage(calls);
    } catch {
      // One of them cannot be cloned, and nothing was sent.
      for (const call of calls) this.#sendAlone(call);
    }
  }

  #sendAlone(call: Call): void {
    try {
      this.#worker.postMessage([call]);
    } catch (error) {
      this.#waitingFor(call[0])?.reject(new Error(describe(error), { cause: error }));
    }
  }

  #take([kind, id, what]: Answer): void {
    switch (kind) {
      case 'value': {
        const asked = this.#waitingFor(id);
        asked?.resolve(asked.unpack === undefined ? what : asked.unpack(what));
        return;
      }
      case 'error':
        this.#waitingFor(id)?.reject(receivedError(what));
        return;
      case 'failed':
        for (const failed of this.#watchers) failed(receivedError(what));
        return;
      case 'told':
        for (const told of this.#told) told();
        return;
      case 'open':
        this.#isOpen = what === undefined;
        this.#opened(what === undefined ? undefined : receivedError(what));
    }
  }

  #waitingFor(id: number): Waiting | undefined {
    const found = this.#waiting.get(id);
    this.#waiting.delete(id);
    return found;
  }

  /** The thread is gone: whoever waits is told, and so is who asks later. */
  #end(cause: unknown): void {
    const closed = this.#closing !== undefined;
    const why = closed ? 'the store was closed' : `the thread that works on it: ${describe(cause)}`;
    this.#over = new WhorlError('STORE_CLOSED', why, { cause });
    this.#opened(this.#over);
    for (const { reject } of this.#waiting.values()) reject(this.#over);
    this.#waiting.clear();
    if (this.#isOpen && !closed) this.#ended?.(this.#over);
  }
}

function storeBehind(thread: StoreThread): Store {
  const { keep, waiting, drain } = part(thread, 'spill');
  return {
    ...part(thread, 'store'),
    access: part(thread, 'access'),
    audit: part(thread, 'audit'),
    jobs: part(thread, 'jobs'),
    members: { ...part(thread, 'members'), watch: (told) => thread.watchOthers(told) },
    partials: part(thread, 'partials'),
    backups: part(thread, 'backups'),
    sites: part(thread, 'sites'),
    spill: { keep, waiting, drain, watch: (listener) => thread.watch(listener) },
    tasks: part(thread, 'tasks'),
    versions: part(thread, 'versions'),
    tombstones: part(thread, 'tombstones'),
    vault: part(thread, 'vault'),
    close: () => thread.close(),
  };
}

/** The methods of a part, each asked of the thread. */
function part<Name extends keyof Parts>(
  thread: StoreThread,
  name: Name,
): Pick<Parts[Name], MethodOf<Parts[Name]>> {
  const methods = Object.keys(METHODS[name]).map((method) => [
    method,
    (...given: readonly unknown[]) => thread.ask(name, method, given),
  ]);
  // The table has every method of the part, and the thread answers as the part itself does.
  return Object.fromEntries(methods) as Pick<Parts[Name], MethodOf<Parts[Name]>>;
}
