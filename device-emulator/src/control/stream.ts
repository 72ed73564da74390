import { Readable } from 'node:stream';
import type { Clock } from '@whorl/protocol';
import { z } from 'zod';
import { EVENT_KINDS } from '../events/event.ts';
import type { FleetEvent } from '../events/event.ts';
import type { EventLog } from '../events/event-log.ts';
import { whole } from '../values/numbers.ts';

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

/**
 * Events as server-sent events, without end. A reader takes them from what the log keeps, at its own pace; one that
 * falls behind what is kept is cut off, and is told what it missed when it comes back.
 * @param gone when the reader has gone
 */
export function eventStream(
  log: EventLog,
  { query, clock, gone }: { readonly query: EventsQuery; readonly clock: Clock; readonly gone: AbortSignal },
): Readable {
  return Readable.from(pieces(log, query, clock, gone));
}

async function* pieces(
  log: EventLog,
  query: EventsQuery,
  clock: Clock,
  gone: AbortSignal,
): AsyncGenerator<string> {
  const frames = query.kind === undefined || query.kind.includes('frame');
  let at = query.after ?? log.last;
  let left = query.count ?? Number.POSITIVE_INFINITY;
  yield ': events\n\n';
  const floor = log.floor({ frames });
  if (at > 0 && at < floor) yield piece({ id: at, time: clock.wallTime(), kind: 'missed', after: at });
  while (left > 0 && !gone.aborted) {
    if (at >= floor && at < log.floor({ frames })) return;
    const event = log.next(at, { frames });
    if (event === undefined) {
      at = log.last;
      if (!(await more(log, clock, gone))) yield ': still here\n\n';
      continue;
    }
    at = event.id;
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
