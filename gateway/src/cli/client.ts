import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sleep, systemClock } from '@whorl/protocol';
import type { ErrorView } from '../http/errors.ts';
import { textOf } from './session.ts';
import type { Send } from './transport.ts';

/** What the gateway answered instead of what was asked for. */
export class AnswerError extends Error {
  readonly view: ErrorView;

  constructor(view: ErrorView) {
    super(view.message);
    this.view = view;
  }
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** How often somebody who comes too fast waits and comes again. */
const PATIENCE = 5;

/** Speaks to a gateway. All methods throw AnswerError, and WhorlError GATEWAY_*, LOGIN_NEEDED. */
export class Client {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.#call<T>('GET', withQuery(path, query), undefined);
  }

  /** What is answered as text. */
  async text(path: string): Promise<string> {
    const answer = await this.#open('GET', path, undefined);
    const text = await textOf(answer);
    if (answer.statusCode !== 200) throw new AnswerError(JSON.parse(text) as ErrorView);
    return text;
  }

  /** Writes what is answered to `out` as it comes, no faster than it is taken. */
  async pipe(path: string, query: Query, out: Writable): Promise<void> {
    const answer = await this.#open('GET', withQuery(path, query), undefined);
    if (answer.statusCode !== 200) throw new AnswerError(JSON.parse(await textOf(answer)) as ErrorView);
    await pipeline(answer, out, { end: false });
  }

  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
    return this.#call<T>(method, path, body);
  }

  /** Calls `take` with each line of an endless answer, until `signal` aborts or the gateway goes away. */
  async follow(path: string, query: Query, take: (line: string) => void, signal: AbortSignal): Promise<void> {
    const answer = await this.#open('GET', withQuery(path, query), undefined, signal);
    if (answer.statusCode !== 200) throw new AnswerError(JSON.parse(await textOf(answer)) as ErrorView);
    let held = '';
    answer.setEncoding('utf8');
    for await (const piece of answer) {
      const lines = (held + String(piece)).split('\n');
      held = lines.pop() ?? '';
      for (const line of lines) take(line);
    }
  }

  async #call<T>(method: string, path: string, body: unknown): Promise<T> {
    for (let left = PATIENCE; ; left -= 1) {
      const answer = await this.#open(method, path, body);
      const parsed: unknown = JSON.parse(await textOf(answer));
      const status = answer.statusCode ?? 500;
      if (status < 400) return parsed as T;
      const wait = Number(answer.headers['retry-after']);
      if (status !== 429 || !(wait > 0) || left === 0) throw new AnswerError(parsed as ErrorView);
      await sleep(systemClock, wait * 1000);
    }
  }

  #open(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    return this.#send({ method, path, headers, body: text, signal });
  }
}

function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as const],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(Object.fromEntries(given)).toString()}`;
}
