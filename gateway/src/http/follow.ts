import type { Clock } from '@whorl/protocol';
import type { FastifyReply } from 'fastify';
import type { StoredEvent } from '../events/catalogue.ts';
import type { EventHub } from '../events/hub.ts';
import type { EventFilter } from '../store/filters.ts';
import type { Store } from '../store/store.ts';
import { Stream } from './stream.ts';

/** Events read from the store at once. */
const PAGE = 200;

export interface Following {
  readonly reply: FastifyReply;
  readonly store: Store;
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly filter: Pick<EventFilter, 'type' | 'terminal' | 'user'>;
  /** Events to begin with. */
  readonly first: readonly StoredEvent[];
  /** Where to go on when there are none. */
  readonly after: number;
  /** Server-sent events, else a JSON object a line. */
  readonly sse: boolean;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Stored events first, then those that come. What is new is always read from the store, page by page as the caller
 * takes it: no gap, no double, and a caller who reads slowly costs no memory.
 */
export function follow(parts: Following): void {
  const stream = new Stream(parts.reply, parts.clock, parts.sse);
  const unsubscribe = parts.hub.subscribe(() => stream.wake());
  void tail(parts, stream)
    .catch(parts.onFailure)
    .finally(() => {
      unsubscribe();
      stream.end();
    });
}

async function tail({ store, filter, first, after }: Following, stream: Stream): Promise<void> {
  let last = after;
  const write = async (events: readonly StoredEvent[]): Promise<void> => {
    for (const event of events) {
      last = event.id;
      await stream.write({ id: event.id, data: event });
    }
  };
  await write(first);
  while (stream.isOpen) {
    const events = await store.events({ ...filter, after: last, limit: PAGE });
    if (events.length === 0) await stream.woken();
    else await write(events);
  }
}
