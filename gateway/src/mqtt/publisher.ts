import { sleep } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { z } from 'zod';
import type { StoredEvent } from '../events/catalogue.ts';
import type { EventHub } from '../events/hub.ts';
import type { Log } from '../settings/log.ts';
import type { Store } from '../store/store.ts';
import { Latch } from '../sync/latch.ts';
import type { Operations } from '../sync/operations.ts';
import type { SyncView, TaskOperations } from '../tasks/operations.ts';
import { logged } from './errors.ts';
import type { Connection } from './connection.ts';
import {
  databaseStateOf,
  eventTopic,
  lineStateOf,
  publishedEvent,
  syncTopic,
  terminalStateOf,
} from './topics.ts';

/** Id of the last event that the broker acknowledged. */
const PUBLISHED = 'mqtt.published';
/** Topics under which the broker keeps a state of ours, as a JSON list. */
const STATES = 'mqtt.states';
/** Events read at once. */
const PAGE = 200;
/** Characters under way at once: a broker writes all of them to each program before any can have read one. */
const SLICE = 512 * 1024;
/** How far back the very first start goes. */
const FIRST_EVENTS = 1000;
const RETRY_MS = 5000;
/** Events that say that a state may be another one. */
const TURNS = /^(line\.|terminal\.(online|offline|changed)$)/;

/** What MQTT needs of the gateway's memory. */
export type MqttStore = Pick<Store, 'events' | 'note' | 'saveNote'>;

export interface PublisherParts {
  readonly store: MqttStore;
  readonly operations: Operations;
  readonly tasks: Pick<TaskOperations, 'watch'>;
  readonly hub: EventHub;
  /** `whorl/<gateway>` */
  readonly root: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Says what happens over one connection: every stored event in its order, and the states of lines and terminals. It reads
 * from the store what is to be said, so that nothing waits in memory, and notes there what the broker acknowledged, so
 * that the next one goes on behind it.
 */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #connection: Connection;
  /** States said over this connection, by topic. */
  readonly #said = new Map<string, string>();
  /** Id of the last event that was published. */
  #last: number | undefined;
  /** The same, as the store has it. */
  #noted: number | undefined;
  /** States of what is in the configuration no more were taken back. */
  #cleared = false;
  /** A state may be another one. */
  #turned = true;

  constructor(parts: PublisherParts, connection: Connection) {
    this.#parts = parts;
    this.#connection = connection;
  }

  /** Sync sessions as they stand now, which was not said yet. */
  readonly #syncs = new Map<string, SyncView>();

  /** Publishes until the connection or `signal` ends it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, hub, log } = this.#parts;
    const latch = new Latch(clock);
    const ended = new AbortController();
    void this.#connection.closed.then(() => ended.abort());
    const over = AbortSignal.any([signal, ended.signal]);
    over.addEventListener('abort', () => latch.ring(), { once: true });
    const ends = [
      this.#parts.tasks.watch((sync) => {
        this.#syncs.set(sync.terminal, sync);
        latch.ring();
      }),
      hub.subscribe(() => latch.ring()),
      hub.watch(() => {
        this.#turned = true;
        latch.ring();
      }),
    ];
    const isOver = (): boolean => over.aborted;
    while (!isOver()) {
      try {
        await this.#catchUp(over);
        await latch.wait(undefined);
      } catch (error) {
        if (isOver()) break;
        const { data, text } = logged(error);
        log.error(data, `mqtt: events wait to be published: ${text}`);
        await sleep(clock, RETRY_MS, over).catch(() => undefined);
      }
    }
    for (const end of ends) end();
  }

  async #catchUp(over: AbortSignal): Promise<void> {
    await this.#saySyncs();
    while (!over.aborted) {
      if (this.#turned) {
        this.#turned = false;
        await this.#sayStates().catch((error: unknown) => {
          this.#turned = true;
          throw error;
        });
      }
      const events = await this.#sayEvents();
      this.#turned ||= events.some(({ type }) => TURNS.test(type));
      if (!this.#turned && events.length === 0) break;
    }
    await this.#note();
  }

  /** @returns the events that were published */
  async #sayEvents(): Promise<readonly StoredEvent[]> {
    const { store, root } = this.#parts;
    if (this.#last === undefined) this.#last = this.#noted = await this.#lastPublished();
    const events = await store.events({ after: this.#last, limit: PAGE });
    const newest = events.at(-1);
    if (newest === undefined) return [];
    for (const slice of slices(events.map((event) => said(root, event))))
      await Promise.all(slice.map(({ topic, text }) => this.#connection.publish(topic, text)));
    this.#last = newest.id;
    await this.#note();
    return events;
  }

  /** A store that cannot take it is no reason to say everything again. */
  async #note(): Promise<void> {
    const last = this.#last;
    if (last === undefined || last === this.#noted) return;
    await this.#parts.store.saveNote(PUBLISHED, String(last));
    this.#noted = last;
  }

  async #lastPublished(): Promise<number> {
    const { store } = this.#parts;
    const note = await store.note(PUBLISHED);
    if (note !== undefined) return Number(note);
    const [first] = await store.events({ newest: true, limit: FIRST_EVENTS });
    return first === undefined ? 0 : first.id - 1;
  }

  async #saySyncs(): Promise<void> {
    for (const [terminal, sync] of [...this.#syncs]) {
      this.#syncs.delete(terminal);
      const topic = `${this.#parts.root}/${syncTopic(terminal)}`;
      await this.#connection.publish(topic, JSON.stringify(sync));
    }
  }

  async #sayStates(): Promise<void> {
    const { operations, root } = this.#parts;
    const { lines, terminals, database } = await operations.status();
    const states = new Map([[`${root}/database/state`, JSON.stringify(databaseStateOf(database))]]);
    for (const line of lines)
      states.set(`${root}/lines/${line.name}/state`, JSON.stringify(lineStateOf(line)));
    for (const terminal of terminals)
      states.set(`${root}/terminals/${terminal.name}/state`, JSON.stringify(terminalStateOf(terminal)));
    for (const [topic, state] of states) {
      if (this.#said.get(topic) === state) continue;
      await this.#connection.publish(topic, state, { retain: true });
      this.#said.set(topic, state);
    }
    if (!this.#cleared) await this.#clearOthers([...states.keys()]);
    this.#cleared = true;
  }

  /** A line or terminal that was taken out of the configuration would stand at the broker for ever. */
  async #clearOthers(topics: readonly string[]): Promise<void> {
    const { store } = this.#parts;
    const now = JSON.stringify(topics);
    const before = await store.note(STATES);
    if (before === now) return;
    const known = before === undefined ? [] : z.array(z.string()).parse(JSON.parse(before));
    for (const topic of known)
      if (!topics.includes(topic)) await this.#connection.publish(topic, '', { retain: true });
    await store.saveNote(STATES, now);
  }
}

interface Said {
  readonly topic: string;
  readonly text: string;
}

function said(root: string, event: StoredEvent): Said {
  return { topic: `${root}/${eventTopic(event.type)}`, text: JSON.stringify(publishedEvent(event)) };
}

function* slices(all: readonly Said[]): Generator<readonly Said[]> {
  let slice: Said[] = [];
  let length = 0;
  for (const one of all) {
    if (slice.length > 0 && length + one.text.length > SLICE) {
      yield slice;
      slice = [];
      length = 0;
    }
    slice.push(one);
    length += one.text.length;
  }
  yield slice;
}
