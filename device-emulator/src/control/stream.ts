import { Readable } from 'node:stream';
import type { Clock } from '@whorl/protocol';
import { z } from 'zod';
import { EVENT_KINDS } from '../events/event.ts';
import type { FleetEvent } from '../events/event.ts';
import type { EventLog } from '../events/event-log.ts';
import { whole } from '../values/numbers.ts';

/** A reader that was cut off, or whose emulator is started again, comes back after so long. */
const COME_BACK_MS = 1_000;
/** Whoever is silent for long is taken for dead by what stands between. */
const HEARTBEAT_MS = 15_000;

const kinds = z
  .string()
  .transform((list) => list.split(','))
  .pipe(z.array(z.enum(EVENT_KINDS, `kinds are ${EVENT_KINDS.join(', ')}`)));

/** What of all events is wanted. */
export const eventsQuery = z.strictObject({
  line: z.string().optional().describe('Only of this line.'),
  terminal: z.string().optional().describe('Only of this terminal.'),
  kind: kinds.optional().describe('Only of these kinds, such as identified,denied.'),
  after: whole(
    'Id of an event: what came after it; 0 for all that is kept.',
    0,
    Number.MAX_SAFE_INTEGER,
  ).optional(),
  count: whole('End after so many events.', 1, 1_000_000).optional(),
});

export type EventsQuery = z.output<typeof eventsQuery>;

interface Reading {
  readonly query: EventsQuery;
  readonly clock: Clock;
  /** When the reader has gone. */
  readonly gone: AbortSignal;
}

/**
 * Events as server-sent events, without end. A reader takes them from what the log keeps, at its own pace; one that
 * falls behind what is kept is cut off, whether it reads on or not, and is told what it missed when it comes back.
 */
export function eventStream(log: EventLog, reading: Reading): Readable {
  const { query, gone } = reading;
  const frames = query.kind === undefined || query.kind.includes('frame');
  const place = { frames, at: query.after ?? log.last, floor: log.floor({ frames }) };
  const stream = Readable.from(pieces(log, place, reading));
  const unlisten = log.onMore(() => {
    if (isBehind(log, place)) stream.destroy();
  });
  gone.addEventListener('abort', unlisten);
  stream.once('close', unlisten);
  return stream;
}

/** Where a reader is. */
interface Place {
  readonly frames: boolean;
  /** Id of what it was given last. */
  at: number;
  /** What was not kept any more when it came: what it missed then, it was told. */
  readonly floor: number;
}

function isBehind(log: EventLog, { at, floor, frames }: Place): boolean {
  return at >= floor && at < log.floor({ frames });
}

async function* pieces(log: EventLog, place: Place, { query, clock, gone }: Reading): AsyncGenerator<string> {
  const { at, floor, frames } = place;
  let left = query.count ?? Number.POSITIVE_INFINITY;
  yield `: events\nretry: ${COME_BACK_MS}\n\n`;
  if (at > 0 && at < floor) yield piece({ id: at, time: clock.wallTime(), kind: 'missed', after: at });
  while (left > 0 && !gone.aborted) {
    const event = log.next(place.at, { frames });
    if (event === undefined) {
      place.at = log.last;
      if (!(await more(log, clock, gone))) yield ': still here\n\n';
      continue;
    }
    place.at = event.id;
    if (!isWanted(event, query)) continue;
    left -= 1;
    yield piece(event);
  }
}

function piece(event: FleetEvent): string {
  return `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
}

function isWanted(event: FleetEvent, { line, terminal, kind }: EventsQuery): boolean {
  if (kind?.includes(event.kind) === false) return false;
  if (event.kind === 'missed') return true;
  if (event.kind === 'module') return line === undefined && terminal === undefined;
  return (line ?? event.line) === event.line && (terminal === undefined || terminal === event.terminal);
}

/** Resolves with true as soon as there is more, or the reader has gone; with false when nothing came for long. */
function more(log: EventLog, clock: Clock, gone: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (is: boolean): void => {
      unlisten();
      cancel();
      gone.removeEventListener('abort', leave);
      resolve(is);
    };
    const leave = (): void => {
      end(true);
    };
    const unlisten = log.onMore(leave);
    const cancel = clock.after(HEARTBEAT_MS, () => {
      end(false);
    });
    gone.addEventListener('abort', leave);
  });
}
