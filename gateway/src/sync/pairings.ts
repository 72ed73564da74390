import { WhorlError } from '@whorl/protocol';
import type { NewEvent, StoredEvent } from '../events/catalogue.ts';
import type { Pairing } from '../store/pairing.ts';
import type { Store } from '../store/store.ts';
import type { KeyRing } from '../terminals/whorl/key-ring.ts';

/** The pairings of this site, in memory as they are in the vault. */
export class Pairings implements KeyRing {
  readonly #store: Pick<Store, 'savePairings'>;
  readonly #known: Map<string, Pairing>;

  constructor(store: Pick<Store, 'savePairings'>, known: ReadonlyMap<string, Pairing>) {
    this.#store = store;
    this.#known = new Map(known);
  }

  of(serial: string): Pairing | undefined {
    return this.#known.get(serial);
  }

  /** Serial number of whoever is paired under a name. */
  serialOf(terminal: string): string | undefined {
    for (const [serial, pairing] of this.#known) if (pairing.terminal === terminal) return serial;
    return undefined;
  }

  /** Another terminal under a name takes the place of the one before only when that is meant. @throws WhorlError PAIRING_TAKEN */
  mayTake(terminal: string, serial: string): void {
    const before = this.serialOf(terminal);
    if (before !== undefined && before !== serial)
      throw new WhorlError('PAIRING_TAKEN', `${terminal} is ${before}; this is ${serial}`);
  }

  /** Pairs a terminal under a name, where it replaces whoever was paired. @throws WhorlError STORE_* */
  async pair(serial: string, pairing: Pairing, events: readonly NewEvent[]): Promise<readonly StoredEvent[]> {
    const changes = new Map<string, Pairing | undefined>([[serial, pairing]]);
    const before = this.serialOf(pairing.terminal);
    if (before !== undefined && before !== serial) changes.set(before, undefined);
    return this.#save(changes, events);
  }

  /** @throws WhorlError STORE_* */
  unpair(serial: string, events: readonly NewEvent[]): Promise<readonly StoredEvent[]> {
    return this.#save(new Map([[serial, undefined]]), events);
  }

  async #save(
    changes: ReadonlyMap<string, Pairing | undefined>,
    events: readonly NewEvent[],
  ): Promise<readonly StoredEvent[]> {
    const stored = await this.#store.savePairings(changes, events);
    for (const [serial, pairing] of changes) {
      if (pairing === undefined) this.#known.delete(serial);
      else this.#known.set(serial, pairing);
    }
    return stored;
  }
}
