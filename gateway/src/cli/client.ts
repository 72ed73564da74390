import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { WhorlError } from '@whorl/protocol';
import { socketPath } from '../http/socket.ts';
import type { ErrorView } from '../http/errors.ts';

/** What the gateway answered instead of what was asked for. */
export class AnswerError extends Error {
  readonly view: ErrorView;

  constructor(view: ErrorView) {
    super(view.message);
    this.view = view;
  }
}

/** Speaks to the gateway of a data directory. All methods throw WhorlError GATEWAY_UNREACHABLE and AnswerError. */
export class Client {
  readonly #data: string;

  constructor(data: string) {
    this.#data = data;
  }

  get<T>(
    path: string,
    query: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ): Promise<T> {
    return this.#call<T>('GET', withQuery(path, query), undefined);
  }

  send<T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
    return this.#call<T>(method, path, body);
  }

  /** Calls `take` with each line of an endless answer, until `signal` aborts or the gateway goes away. */
  async follow(
    path: string,
    query: Readonly<Record<string, string | number | boolean | undefined>>,
    take: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await this.#open('GET', withQuery(path, query), undefined, signal);
    if (answer.statusCode !== 200) throw new AnswerError(JSON.parse(await textOf(answer)) as ErrorView);
    let held = '';
    for await (const piece of answer) {
      const lines = (held + String(piece)).split('\n');
      held = lines.pop() ?? '';
      for (const line of lines) take(line);
    }
  }

  async #call<T>(method: string, path: string, body: unknown): Promise<T> {
    const answer = await this.#open(method, path, body);
    const parsed: unknown = JSON.parse(await textOf(answer));
    if ((answer.statusCode ?? 500) >= 400) throw new AnswerError(parsed as ErrorView);
    return parsed as T;
  }

  #open(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          socketPath: socketPath(this.#data),
          method,
          path,
          headers,
          ...(signal === undefined ? {} : { signal }),
        },
        resolve,
      );
      asked.on('error', (cause) => {
        reject(new WhorlError('GATEWAY_UNREACHABLE', `no gateway answers for ${this.#data}`, { cause }));
      });
      asked.end(text);
    });
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  answer.setEncoding('utf8');
  for await (const piece of answer) text += String(piece);
  return text;
}

function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as const],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(Object.fromEntries(given)).toString()}`;
}
