import type { StoredEvent } from './catalogue.ts';

export type EventListener = (event: StoredEvent) => void;

/** Hands stored events to whoever listens. One listener's failure is its own. */
export class EventHub {
  readonly #listeners = new Set<EventListener>();
  readonly #watchers = new Set<() => void>();
  readonly #onFailure: (error: unknown) => void;
  #relay: (() => void) | undefined;

  /** @param onFailure told of what a listener threw */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** @returns ends the subscription */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** @param watcher told that a state is another one, of which no event may be stored. @returns ends it */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  turn(): void {
    for (const watcher of this.#watchers) this.#safely(watcher);
  }

  /** From now on what is published is not told here: `look` is told that it is stored, and delivers it. */
  relayed(look: () => void): void {
    this.#relay = look;
  }

  /** Only for events that are safely stored. */
  publish(events: readonly StoredEvent[]): void {
    if (events.length === 0) return;
    if (this.#relay === undefined) this.deliver(events);
    else this.#relay();
  }

  /** Tells all who listen. */
  deliver(events: readonly StoredEvent[]): void {
    for (const event of events) {
      for (const listener of this.#listeners)
        this.#safely(() => {
          listener(event);
        });
    }
  }

  #safely(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#onFailure(error);
    }
  }
}
