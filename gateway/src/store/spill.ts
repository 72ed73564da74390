import type { NewEvent, StoredEvent } from '../events/catalogue.ts';

/** Where events wait for a database that cannot be written. */
export interface SpillStore {
  /** @param listener told of each write that failed, with its error. @returns ends it */
  watch(listener: (error: unknown) => void): () => void;
  /**
   * Keeps events until {@link drain}; over a crash too, unless the disk refuses even that.
   * @returns how many there was no room for
   */
  keep(events: readonly NewEvent[]): Promise<number>;
  /** Events that wait, oldest first. */
  waiting(): Promise<readonly NewEvent[]>;
  /**
   * Stores what waits, each event once however often this is repeated, also after a crash. Writes to the database in
   * any case, so that it shows whether that can be written.
   * @param more to be stored with it
   * @throws WhorlError STORE_*; then all of it still waits
   */
  drain(time: number, more?: readonly NewEvent[]): Promise<readonly StoredEvent[]>;
}
