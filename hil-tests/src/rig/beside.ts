import type { Gateway } from '@whorl/gateway';

/** What works beside the gateway of a rig: started after it, stopped before it. */
export interface Beside {
  /** @returns stops it */
  start(gateway: Gateway): Promise<() => Promise<void>>;
  /** The gateway's machine lost power: nothing that it says reaches anybody. */
  cut(): void;
}

/** A gateway and what works beside it. */
export class Company {
  readonly #beside: Beside | undefined;
  #stop: (() => Promise<void>) | undefined;

  constructor(beside: Beside | undefined) {
    this.#beside = beside;
  }

  /** @returns the gateway, with company */
  async joined(gateway: Gateway): Promise<Gateway> {
    this.#stop = await this.#beside?.start(gateway);
    return gateway;
  }

  async stop(gateway: Gateway): Promise<void> {
    await this.#stop?.();
    this.#stop = undefined;
    await gateway.stop();
  }

  cut(): void {
    this.#beside?.cut();
  }
}
