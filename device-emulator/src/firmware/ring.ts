import type { LogRecord, LogState } from '@whorl/protocol';

/** The newest log records, up to as many as fit; ids go up by one for the life of the terminal. */
export class LogRing {
  readonly #capacity: number;
  readonly #records: (LogRecord | undefined)[] = [];
  #first = 1;
  #last = 0;
  #lastHere = 0;

  /** @param capacity records kept before the oldest is overwritten */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Id of the newest record, 0 when there never was one. */
  get last(): number {
    return this.#last;
  }

  /** Records kept. */
  get size(): number {
    return this.#last - this.#first + 1;
  }

  /**
   * Whether somebody should come for the records after `readTo`: people did something here, or so much is waiting that
   * the oldest could be overwritten. What the gateway did itself is no news to it.
   */
  hasNews(readTo: number): boolean {
    return this.size > 0 && (this.#lastHere > readTo || this.#last - readTo > this.#capacity / 4);
  }

  add(record: LogRecord): void {
    if (record.origin === 'terminal') this.#lastHere = record.id;
    this.#records[record.id % this.#capacity] = record;
    this.#last = record.id;
    this.#first = Math.max(this.#first, record.id - this.#capacity + 1);
  }

  /** Forgets all records; the next one gets the id after `last`. */
  clear(last: number): void {
    this.#records.length = 0;
    this.#last = last;
    this.#lastHere = 0;
    this.#first = last + 1;
  }

  state(epoch: number): LogState {
    return { epoch, first: this.size === 0 ? 0 : this.#first, last: this.#last };
  }

  /** At most `most` records with ids above `after`, ascending. */
  page(after: number, most: number): LogRecord[] {
    const from = Math.max(this.#first, after + 1);
    const records: LogRecord[] = [];
    for (let id = from; id <= this.#last && records.length < most; id += 1) {
      const record = this.#records[id % this.#capacity];
      if (record !== undefined) records.push(record);
    }
    return records;
  }
}
