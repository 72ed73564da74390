import { DELIMITER } from '@whorl/protocol';
import type { Direction } from '@whorl/protocol';
import type { OpenTransport } from './transport.ts';

/** Hears bytes that cross a line, as they do: up to and including delimiters, sound or not. */
export type Listener = (bytes: Uint8Array, direction: Direction) => void;

/** Whoever listens in on a line. Costs nothing while nobody does. */
export class Taps {
  readonly #listeners = new Set<Listener>();

  /** @returns what ends it */
  add(listener: Listener): () => void {
    // Each time another function: whoever listens twice stops twice.
    const own: Listener = (bytes, direction) => listener(bytes, direction);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** The same way to a line, with listeners on it. */
  around(open: OpenTransport): OpenTransport {
    return async (events, signal) => {
      const heard = (stuffed: Uint8Array): void => {
        if (this.#listeners.size > 0) this.#tell(ended(stuffed), 'to-gateway');
        events.frame(stuffed);
      };
      const transport = await open({ ...events, frame: heard }, signal);
      return {
        write: (bytes, written) => {
          if (this.#listeners.size > 0) this.#tell(bytes, 'to-terminal');
          transport.write(bytes, written);
        },
        cut: () => transport.cut(),
        lend: (listener) =>
          transport.lend((bytes) => {
            this.#tell(bytes, 'to-gateway');
            listener(bytes);
          }),
        close: () => transport.close(),
      };
    };
  }

  #tell(bytes: Uint8Array, direction: Direction): void {
    for (const listener of this.#listeners) listener(bytes, direction);
  }
}

function ended(stuffed: Uint8Array): Uint8Array {
  const whole = new Uint8Array(stuffed.length + 1);
  whole.set(stuffed);
  whole[stuffed.length] = DELIMITER;
  return whole;
}
