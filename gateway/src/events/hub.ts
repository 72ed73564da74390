import type { StoredEvent } from './catalogue.ts';

export type EventListener = (event: StoredEvent) => void;

/** Hands stored events to whoever listens. One listener's failure is its own. */
export class EventHub {
  readonly #listeners = new Set<EventListener>();
  readonly #onFailure: (error: unknown) => void;

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

  /** Only for events that are safely stored. */
  publish(events: readonly StoredEvent[]): void {
    for (const event of events) {
      for (const listener of this.#listeners) {
        try {
          listener(event);
        } catch (error) {
          this.#onFailure(error);
        }
      }
    }
  }
}
