import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** What a process does when it is asked to; values cross as JSON. */
export type Deeds<Api> = { readonly [Name in keyof Api]: (given: never) => unknown };

interface Order {
  readonly id: number;
  readonly deed: string;
  readonly given: unknown;
}

type Done =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

/** A process of its own, so that what it costs is told apart from what others cost. */
export interface Helper<Api extends Deeds<Api>> {
  /** @throws Error with what the process said went wrong */
  ask<Name extends keyof Api & string>(
    deed: Name,
    given: Parameters<Api[Name]>[0],
  ): Promise<Awaited<ReturnType<Api[Name]>>>;
  end(): Promise<void>;
}

/** Starts a module that calls {@link serve}. @param path of the module */
export function startHelper<Api extends Deeds<Api>>(path: string): Helper<Api> {
  const child = fork(path, { execPath: process.execPath, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let orders = 0;
  child.on('message', (message) => {
    const done = message as Done;
    const one = waiting.get(done.id);
    waiting.delete(done.id);
    if ('error' in done) one?.reject(new Error(done.error));
    else one?.resolve(done.value as never);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void ended.then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`${path} has ended`));
  });
  return {
    ask: (deed, given) =>
      new Promise((resolve, reject) => {
        orders += 1;
        waiting.set(orders, { resolve, reject });
        child.send({ id: orders, deed, given } satisfies Order);
      }),
    end: () => endOf(child, ended),
  };
}

async function endOf(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.disconnect();
  await ended;
}

/** Does what the process that started this one asks for, and ends with it. */
export function serve<Api extends Deeds<Api>>(deeds: Api, end: () => Promise<void>): void {
  const known = new Map<string, (given: never) => unknown>(Object.entries(deeds));
  process.on('message', (message) => {
    const { id, deed, given } = message as Order;
    void (async () => {
      try {
        const value = await known.get(deed)?.(given as never);
        process.send?.({ id, value: value ?? null });
      } catch (error) {
        process.send?.({
          id,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
    })();
  });
  process.once('disconnect', () => {
    void end().then(() => process.exit(0));
  });
}
