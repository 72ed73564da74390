import { WhorlError } from '@whorl/protocol';
import type { VaultStatus } from '../store/vault-store.ts';
import type { Site } from './site.ts';

/** How long work ends early, and tells how far it is. */
export interface RotationControl {
  readonly signal: AbortSignal;
  readonly progress: (done: number, total?: number) => Promise<void>;
}

/** Changes the master key while the gateway works, once at a time. */
export class Rotating {
  readonly #site: Site;
  #under = false;

  constructor(site: Site) {
    this.#site = site;
  }

  /** @throws WhorlError VAULT_ROTATING, VAULT_NEXT_KEY, VAULT_KEY_*, STORE_* */
  async begin(): Promise<VaultStatus> {
    this.#alone();
    return this.#site.store.vault.begin(this.#site.now);
  }

  /**
   * Goes on to the end, or until it is asked to end early; then both keys stay in use until somebody goes on.
   * @throws WhorlError VAULT_ROTATING, STORE_*
   */
  async run({ signal, progress }: RotationControl): Promise<VaultStatus> {
    this.#alone();
    this.#under = true;
    try {
      const { vault } = this.#site.store;
      const { master, next } = await vault.status();
      let done = next?.keys ?? 0;
      const total = master.keys + done;
      for (let some = 1; some > 0; done += some) {
        await progress(Math.min(done, total), total);
        if (signal.aborted) return await vault.status();
        some = await vault.reseal();
      }
      const { status, events } = await vault.finish(this.#site.now);
      this.#site.publish(events);
      return status;
    } finally {
      this.#under = false;
    }
  }

  #alone(): void {
    if (this.#under) throw new WhorlError('VAULT_ROTATING', 'one change at a time');
  }
}
