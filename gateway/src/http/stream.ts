import type { ServerResponse } from 'node:http';
import type { Clock } from '@whorl/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Proxies close what is silent for a minute. */
const HEARTBEAT_MS = 15_000;

/** One thing to be said in an endless answer. */
export interface Said {
  readonly id?: number;
  /** Kind of server-sent event; `message` when not given. */
  readonly event?: string;
  readonly data: unknown;
}

/** An endless answer: server-sent events, or a JSON object a line. */
export class Stream {
  readonly #raw: ServerResponse;
  readonly #sse: boolean;
  readonly #clock: Clock;
  #open = true;
  #news = false;
  #wake: (() => void) | undefined;
  #cancelBeat: (() => void) | undefined;

  constructor(reply: FastifyReply, clock: Clock, sse: boolean) {
    reply.hijack();
    this.#raw = reply.raw;
    this.#sse = sse;
    this.#clock = clock;
    this.#raw.writeHead(200, {
      'content-type': sse ? 'text/event-stream' : 'application/x-ndjson',
      'cache-control': 'no-store',
    });
    this.#raw.flushHeaders();
    this.#raw.on('close', () => this.#closed());
    this.#raw.on('error', () => this.#closed());
    if (sse) this.#beat();
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Resolves when the caller has room for more, or is gone. */
  async write({ id, event, data }: Said): Promise<void> {
    if (!this.#open) return;
    const json = JSON.stringify(data);
    const head = `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}`;
    if (this.#raw.write(this.#sse ? `${head}data: ${json}\n\n` : `${json}\n`)) return;
    await new Promise<void>((resolve) => {
      this.#raw.once('drain', resolve);
      this.#raw.once('close', resolve);
    });
  }

  /** Tells {@link woken} that there is something to look at. */
  wake(): void {
    this.#news = true;
    this.#wake?.();
  }

  /** Resolves when there was a {@link wake} since the last time, or the caller is gone. */
  async woken(): Promise<void> {
    if (!this.#news && this.#open) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    this.#news = false;
  }

  end(): void {
    this.#closed();
    this.#raw.end();
  }

  #closed(): void {
    this.#open = false;
    this.#cancelBeat?.();
    this.#wake?.();
  }

  #beat(): void {
    this.#cancelBeat = this.#clock.after(HEARTBEAT_MS, () => {
      this.#raw.write(': still here\n\n');
      if (this.#open) this.#beat();
    });
  }
}

/** Whether the caller takes server-sent events. */
export function wantsSse(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/event-stream') === true;
}

/** The event after which a caller who was cut off goes on. */
export function lastEventId(request: FastifyRequest): number | undefined {
  const header = request.headers['last-event-id'];
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
