import type { Clock, Direction } from '@whorl/protocol';
import type { FastifyReply } from 'fastify';
import type { Listener } from '../lines/taps.ts';
import { Stream } from './stream.ts';

/** What a caller who reads slowly may lag behind; a line does not wait for anybody. */
const MOST_WAITING = 2000;

/** What crossed a line, sealed as it was. */
export interface Crossing {
  /** Microseconds since 1970 UTC. */
  readonly timeUs: number;
  readonly direction: Direction;
  /** Hex. */
  readonly bytes: string;
  /** So many before it were lost, because the caller read too slowly. */
  readonly lost?: number;
}

/** Tells what crosses a line, a JSON object each, until the caller goes. @param listen returns what ends it */
export function tellTraffic(parts: {
  readonly reply: FastifyReply;
  readonly clock: Clock;
  readonly sse: boolean;
  readonly listen: (listener: Listener) => () => void;
  readonly onFailure: (error: unknown) => void;
}): void {
  const { clock } = parts;
  const stream = new Stream(parts.reply, clock, parts.sse);
  const startMs = clock.wallTime() - clock.now();
  const waiting: Crossing[] = [];
  let lost = 0;
  const stop = parts.listen((bytes, direction) => {
    if (waiting.length === MOST_WAITING) {
      lost += 1;
      return;
    }
    const timeUs = Math.round(1000 * (startMs + clock.now()));
    const crossing = { timeUs, direction, bytes: Buffer.from(bytes).toString('hex') };
    waiting.push(lost === 0 ? crossing : { ...crossing, lost });
    lost = 0;
    stream.wake();
  });
  void tail(stream, waiting)
    .catch(parts.onFailure)
    .finally(() => {
      stop();
      stream.end();
    });
}

async function tail(stream: Stream, waiting: Crossing[]): Promise<void> {
  while (stream.isOpen) {
    const next = waiting.shift();
    if (next === undefined) await stream.woken();
    else await stream.write({ data: next });
  }
}
