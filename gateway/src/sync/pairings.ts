import type { NewEvent, StoredEvent } from '../events/catalogue.ts';
import type { Store } from '../store/store.ts';
import type { KeyRing } from '../terminals/whorl/key-ring.ts';

/** The pairing keys of this site, in memory as they are in the vault. */
export class Pairings implements KeyRing {
  readonly #store: Pick<Store, 'savePairing'>;
  readonly #keys: Map<string, Uint8Array>;

  constructor(store: Pick<Store, 'savePairing'>, keys: ReadonlyMap<string, Uint8Array>) {
    this.#store = store;
    this.#keys = new Map(keys);
  }

  keyOf(serial: string): Uint8Array | undefined {
    return this.#keys.get(serial);
  }

  /** @param key `undefined` ends the pairing. @throws WhorlError STORE_* */
  async set(
    serial: string,
    key: Uint8Array | undefined,
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]> {
    const stored = await this.#store.savePairing(serial, key, events);
    if (key === undefined) this.#keys.delete(serial);
    else this.#keys.set(serial, key);
    return stored;
  }
}
