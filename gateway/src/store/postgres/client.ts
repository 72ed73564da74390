import { receiveMessageOnPort, MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { WhorlError } from '@whorl/protocol';
import type { ServerPlace } from '../../settings/database.ts';
import { codeOfServer } from './errors.ts';

/** How a server is reached, and the schema that is ours. */
export interface ClientSettings extends ServerPlace {
  readonly password: string;
  readonly schema: string;
  /** Name of this process among several that share the schema; without one it is alone there. */
  readonly member?: string | undefined;
  /** Only looks, beside whoever works there. */
  readonly looks?: true;
  /** PEM of the authority that signed the server's certificate; by default those that the system knows. */
  readonly ca?: string | undefined;
}

export type Value = string | number | bigint | Uint8Array | null;

export interface Asked {
  readonly sql: string;
  readonly values: readonly Value[];
  /** Under which the server keeps the statement prepared. */
  readonly name?: string | undefined;
}

/** To the worker. */
export type Question =
  /** One after the other, without waiting in between; `within` a transaction that was begun before. */
  | { readonly statements: readonly Asked[]; readonly within: boolean }
  /** From now on a connection that has not the house is of no use. */
  | { readonly keepHouse: true }
  | { readonly end: true };

/** From the worker. */
export type Outcome =
  | {
      readonly rows: readonly Record<string, unknown>[];
      readonly changes: number;
      readonly generation: number;
    }
  | { readonly error: { readonly code: string; readonly message: string; readonly lost: boolean } };

/** Longer than any statement may take: the server gives up before. */
const PATIENCE_MS = 120_000;

/**
 * One connection to a PostgreSQL server whose answers are waited for, as those of SQLite are: the same tables work on
 * both. A worker talks to the server; this thread, which is the store's own, stands still meanwhile. A connection that
 * was lost is made anew by the next question.
 */
export class Client {
  readonly #place: string;
  readonly #flag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #worker: Worker;
  readonly #port: MessagePort;
  #putOff: Asked[] = [];
  #isLost = true;
  #generation = 0;

  /** @param told called when another process has written something */
  constructor(settings: ClientSettings, told: () => void = () => undefined) {
    this.#place = `postgres://${settings.host}:${settings.port}/${settings.database}`;
    const { port1, port2 } = new MessageChannel();
    const { port1: heard, port2: news } = new MessageChannel();
    this.#port = port1;
    this.#worker = new Worker(new URL('./client-worker.ts', import.meta.url), {
      workerData: { settings, signal: this.#flag.buffer, port: port2, news },
      transferList: [port2, news],
    });
    heard.on('message', told);
    for (const one of [this.#worker, this.#port, heard]) one.unref();
  }

  /** Counts connections: what the server held for one is gone with it. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether there is no connection: what was under way on it was rolled back. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * Asks something, after what was put off.
   * @param within a transaction that was begun before: on another connection it would not be part of it
   * @returns of the last statement
   * @throws WhorlError STORE_* of the first that failed
   */
  ask(asked: Asked, within = false): Extract<Outcome, { readonly rows: unknown }> {
    const statements = [...this.#putOff, asked];
    this.#putOff = [];
    const outcome = this.#exchange({ statements, within });
    this.#isLost = 'error' in outcome && outcome.error.lost;
    if ('rows' in outcome) {
      this.#generation = outcome.generation;
      return outcome;
    }
    const { code, message, lost } = outcome.error;
    throw new WhorlError(codeOfServer(code, lost), `${this.#place}: ${message}`);
  }

  /** Asks it with what is asked next. */
  putOff(asked: Asked): void {
    this.#putOff.push(asked);
  }

  get hasPutOff(): boolean {
    return this.#putOff.length > 0;
  }

  forgetPutOff(): void {
    this.#putOff = [];
  }

  keepHouse(): void {
    this.#exchange({ keepHouse: true });
  }

  end(): void {
    this.#exchange({ end: true });
    void this.#worker.terminate();
  }

  #exchange(question: Question): Outcome {
    Atomics.store(this.#flag, 0, 0);
    this.#port.postMessage(question);
    if (Atomics.wait(this.#flag, 0, 0, PATIENCE_MS) === 'timed-out')
      throw new WhorlError('STORE_UNREACHABLE', `${this.#place}: no answer within ${PATIENCE_MS / 1000} s`);
    const received = receiveMessageOnPort(this.#port);
    return (received as { readonly message: Outcome }).message;
  }
}
