import { ERRORS, WhorlError } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import { z } from 'zod';
import { RequestError } from '../values/given.ts';

/** The port that `whorl-emulator` uses unless it is told otherwise. */
export const CONTROL_PORT = 7480;

const refusal = z.object({ code: z.string(), message: z.string(), place: z.string().default('') });

/** Talks to a running emulator. */
export class Client {
  readonly #port: number;

  /** @param port of its control, on this machine */
  constructor(port: number) {
    this.#port = port;
  }

  /** @throws WhorlError CONTROL_UNREACHABLE, and what the emulator refused with */
  get<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    return this.#call(path, {}, shape);
  }

  /** @throws as {@link Client.get} */
  post<T>(path: string, body: object, shape: z.ZodType<T>): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.#call(path, { method: 'POST', headers, body: JSON.stringify(body) }, shape);
  }

  /** @throws as {@link Client.get} */
  remove<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    return this.#call(path, { method: 'DELETE' }, shape);
  }

  /** Text as it comes, until `signal` ends it or the emulator does. @throws as {@link Client.get} */
  async *stream(path: string, signal: AbortSignal): AsyncGenerator<string, void> {
    try {
      const answer = await this.#fetch(path, { signal });
      if (!answer.ok) throw this.#refused(await answer.json().catch(() => undefined));
      const text = new TextDecoder();
      for await (const piece of answer.body ?? []) yield text.decode(piece as Uint8Array, { stream: true });
    } catch (error) {
      // A connection that breaks is how an emulator ends that is killed, or that cuts off who reads too slowly.
      if (!signal.aborted && error instanceof WhorlError) throw error;
    }
  }

  async #call<T>(path: string, init: RequestInit, shape: z.ZodType<T>): Promise<T> {
    const answer = await this.#fetch(path, init);
    const value: unknown = await answer.json().catch(() => undefined);
    const parsed = answer.ok ? shape.safeParse(value) : undefined;
    if (parsed?.success === true) return parsed.data;
    // What is no answer of an emulator is no refusal of one either.
    throw this.#refused(answer.ok ? undefined : value);
  }

  #refused(value: unknown): WhorlError {
    const parsed = refusal.safeParse(value);
    if (!parsed.success)
      return new WhorlError('CONTROL_UNREACHABLE', `something else answers on port ${this.#port}`);
    const { code, message, place } = parsed.data;
    if (code === 'CONTROL_REQUEST' || code === 'CONTROL_UNKNOWN')
      return new RequestError(place, message, code);
    return isErrorCode(code) ? new WhorlError(code, message) : new RequestError(place, message);
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`http://127.0.0.1:${this.#port}${path}`, init);
    } catch (cause) {
      throw new WhorlError('CONTROL_UNREACHABLE', `nothing answers on port ${this.#port}`, { cause });
    }
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
