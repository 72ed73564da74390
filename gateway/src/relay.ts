import { describe } from '@whorl/protocol';
import type { Log } from './settings/log.ts';
import type { Store } from './store/store.ts';
import type { EventHub } from './events/hub.ts';

const PAGE = 500;

/**
 * Where several processes store events, each tells all of them: they are read from the database, which has them in one
 * order, the same for all. Without gap or double: ids are given out in the order of commits.
 */
export class Relay {
  readonly #store: Pick<Store, 'events'>;
  readonly #hub: EventHub;
  readonly #log: Log;
  #last: number;
  #isReading = false;
  #again = false;

  private constructor(parts: { store: Pick<Store, 'events'>; hub: EventHub; log: Log; last: number }) {
    this.#store = parts.store;
    this.#hub = parts.hub;
    this.#log = parts.log;
    this.#last = parts.last;
  }

  /** Begins with what is stored from now on. @throws WhorlError STORE_* */
  static async open(parts: { store: Pick<Store, 'events'>; hub: EventHub; log: Log }): Promise<Relay> {
    const [newest] = await parts.store.events({ newest: true, limit: 1 });
    const relay = new Relay({ ...parts, last: newest?.id ?? 0 });
    parts.hub.relayed(() => relay.look());
    return relay;
  }

  /** Something was stored, here or by another process. */
  look(): void {
    this.#again = true;
    if (this.#isReading) return;
    this.#isReading = true;
    this.#read()
      .catch((error: unknown) => {
        this.#log.warn({}, `events of other processes could not be read: ${describe(error)}`);
      })
      .finally(() => {
        this.#isReading = false;
      });
  }

  async #read(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const page = await this.#store.events({ after: this.#last, limit: PAGE });
      this.#last = page.at(-1)?.id ?? this.#last;
      this.#hub.deliver(page);
      if (page.length === PAGE) this.#again = true;
    }
  }
}
