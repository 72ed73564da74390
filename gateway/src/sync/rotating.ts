import { WhorlError } from '@whorl/protocol';
import type { VaultStatus } from '../store/vault-store.ts';
import type { Site } from './site.ts';

/** How long work ends early, and tells how far it is. */
export interface RotationControl {
  readonly signal: AbortSignal;
  readonly progress: (done: number, total?: number) => Promise<void>;
}

export interface RotationWish {
  /** Whether everybody's data key is to be renewed too. */
  readonly dataKeys?: boolean | undefined;
}

/** Changes the master key, and data keys, while the gateway works, once at a time. */
export class Rotating {
  readonly #site: Site;
  #under = false;

  constructor(site: Site) {
    this.#site = site;
  }

  /**
   * Data keys that are being renewed come first: that was begun with a new master key already.
   * @throws WhorlError VAULT_ROTATING, VAULT_NEXT_KEY, VAULT_KEY_*, STORE_*
   */
  async begin(wish: RotationWish): Promise<VaultStatus> {
    this.#alone();
    const { vault } = this.#site.store;
    const { next, renewing } = await vault.status();
    if (renewing !== undefined && next === undefined) return vault.status();
    const status = await vault.begin(this.#site.now);
    return wish.dataKeys === true ? vault.beginRenewal() : status;
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
      const { master, next, renewing } = await vault.status();
      const people = (renewing?.done ?? 0) + (renewing?.left ?? 0);
      const keys = next === undefined ? 0 : master.keys + next.keys;
      const told: RotationControl = { signal, progress: (done) => progress(done, keys + people) };
      if (next !== undefined && !(await this.#reseal(told, next.keys))) return await vault.status();
      const after: RotationControl = { signal, progress: (done) => told.progress(keys + done) };
      if (renewing !== undefined) await this.#renew(after, renewing.done);
      return await vault.status();
    } finally {
      this.#under = false;
    }
  }

  /** @returns whether it came to its end */
  async #reseal({ signal, progress }: RotationControl, from: number): Promise<boolean> {
    const { vault } = this.#site.store;
    let done = from;
    for (let some = 1; some > 0; done += some) {
      await progress(done);
      if (signal.aborted) return false;
      some = await vault.reseal();
    }
    const { events } = await vault.finish(this.#site.now);
    this.#site.publish(events);
    return true;
  }

  async #renew({ signal, progress }: RotationControl, from: number): Promise<void> {
    const { vault } = this.#site.store;
    let done = from;
    for (let some = 1; some > 0; done += some) {
      await progress(done);
      if (signal.aborted) return;
      const { count, events } = await vault.renew(done, this.#site.now);
      this.#site.publish(events);
      some = count;
    }
  }

  #alone(): void {
    if (this.#under) throw new WhorlError('VAULT_ROTATING', 'one change at a time');
  }
}
