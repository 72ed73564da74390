import { z } from 'zod';
import { EVENTS, EVENT_TYPES } from '../../events/catalogue.ts';
import type { NewEvent, StoredEvent } from '../../events/catalogue.ts';
import type { SpillFile } from '../spill-file.ts';
import type { SpillStore } from '../spill.ts';
import type { Sqlite } from '../sqlite.ts';
import { wasErased, withoutErased } from './erased.ts';
import { insertEvents } from './events.ts';
import { putNote } from './small.ts';

/** Of the file, and of what waits in memory. */
export const SPILL_BYTES = 64 * 1024;
/** What others than `db.save.failed` may take of it. */
const OTHERS_BYTES = SPILL_BYTES / 2;
/** Room that a line takes beside its text. */
const LINE_BYTES = 16;
const TRIED_NOTE = 'database.tried';

const envelope = z.looseObject({ type: z.enum(EVENT_TYPES), time: z.int(), source: z.string() });

interface Kept {
  readonly event: NewEvent;
  readonly line: string;
}

export class Spill implements SpillStore {
  readonly #db: Sqlite;
  readonly #file: SpillFile | undefined;
  readonly #random: (length: number) => Uint8Array;
  #kept: Kept[] = [];
  #bytes = 0;

  /** @param file `undefined` for a database in memory */
  constructor(db: Sqlite, file: SpillFile | undefined, random: (length: number) => Uint8Array) {
    this.#db = db;
    this.#file = file;
    this.#random = random;
    for (const line of file?.lines() ?? []) {
      const event = eventIn(line);
      if (event !== undefined) this.#add({ event, line });
    }
  }

  watch(listener: (error: unknown) => void): () => void {
    return this.#db.watch(listener);
  }

  async waiting(): Promise<readonly NewEvent[]> {
    return this.#kept.map(({ event }) => event);
  }

  async keep(events: readonly NewEvent[]): Promise<number> {
    const before = this.#kept.length;
    for (const event of events) {
      const source = event.source ?? `spill/${Buffer.from(this.#random(12)).toString('hex')}`;
      const line = JSON.stringify({ ...event, source });
      const most = event.type === 'db.save.failed' ? SPILL_BYTES : OTHERS_BYTES;
      if (this.#bytes + sizeOf(line) <= most) this.#add({ event: { ...event, source }, line });
    }
    const added = this.#kept.slice(before);
    try {
      if (added.length > 0) this.#file?.append(added.map(({ line }) => line));
    } catch {
      // They wait in memory.
    }
    return events.length - added.length;
  }

  close(): void {
    this.#file?.close();
  }

  async drain(time: number, more: readonly NewEvent[] = []): Promise<readonly StoredEvent[]> {
    const storing = [...this.#kept];
    const stored = await this.#db.write(() => {
      putNote(this.#db, TRIED_NOTE, String(time));
      const clean = withoutErased((user) => wasErased(this.#db, user));
      return insertEvents(this.#db, [...storing.map(({ event }) => clean(event)), ...more]);
    });
    const done = new Set(storing);
    this.#kept = this.#kept.filter((one) => !done.has(one));
    this.#bytes = this.#kept.reduce((sum, { line }) => sum + sizeOf(line), 0);
    if (storing.length > 0) this.#forget();
    return stored;
  }

  #add(one: Kept): void {
    this.#kept.push(one);
    this.#bytes += sizeOf(one.line);
  }

  /** What stays in the file though it is stored is stored no second time: its sources are known. */
  #forget(): void {
    try {
      this.#file?.replace(this.#kept.map(({ line }) => line));
    } catch {
      return;
    }
  }
}

function sizeOf(line: string): number {
  return Buffer.byteLength(line) + LINE_BYTES;
}

/** What a later release wrote is left out. */
function eventIn(line: string): NewEvent | undefined {
  try {
    const event = envelope.parse(JSON.parse(line));
    EVENTS[event.type].data.parse(event['data']);
    // The type and its data were checked against each other.
    return event as unknown as NewEvent;
  } catch {
    return undefined;
  }
}
