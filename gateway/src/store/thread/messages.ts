import { codeOf, WhorlError } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import type { DatabaseConfig } from '../../settings/database.ts';

/** What the store's thread is started with. The master key is none of it: the thread finds that by itself. */
export interface ThreadPlan {
  /** The data directory. */
  readonly data: string;
  /** A server that keeps the tables, where it is not the data directory. */
  readonly database?: DatabaseConfig | undefined;
  /** Begins with an empty database although this directory had one. */
  readonly fresh?: boolean | undefined;
  /** URL of a module whose `ground` the thread stands on; this machine unless it says. */
  readonly ground?: string | undefined;
  /** Where this process keeps compiled code; absent when it does not. */
  readonly cache?: string | undefined;
}

/** Something to be done: tuples, as names of members would be sent with each. */
export type Call = readonly [id: number, part: string, method: string, given: readonly unknown[]];

/** An error on its way to another thread. */
export interface SentError {
  /** Absent of an error that is none of ours. */
  readonly code?: ErrorCode;
  readonly message: string;
  readonly stack: string;
}

export type Answer =
  | readonly [kind: 'value', id: number, value: unknown]
  | readonly [kind: 'error', id: number, error: SentError]
  /** A write failed: told before the answer to who asked for it. */
  | readonly [kind: 'failed', id: 0, error: SentError]
  /** Another process has written something. */
  | readonly [kind: 'told', id: 0, what: undefined]
  /** The database is open, or could not be opened. */
  | readonly [kind: 'open', id: 0, error: SentError | undefined];

export function sentError(error: unknown): SentError {
  const code = codeOf(error);
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  return code === undefined ? { message, stack } : { code, message, stack };
}

/** The same error in this thread; where it was thrown in the other one stands in its cause. */
export function receivedError({ code, message, stack }: SentError): Error {
  const there = new Error(message);
  there.stack = stack;
  const options = { cause: there };
  return code === undefined ? new Error(message, options) : new WhorlError(code, message, options);
}
