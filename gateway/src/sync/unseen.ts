import type { Identity, LogPage } from '../terminals/driver.ts';

/**
 * Whether a terminal's log has shown what was written to it. What it has said to hold and not shown yet may be gone when
 * it starts again: a memory that loses its last second, an older state that was put back.
 */
export class Unseen {
  /** Since the log was read to its end. */
  #some: boolean;
  /** Counts what was written. */
  #writes = 0;
  #greeting: Identity | undefined;

  /** @param some as the store has it when the gateway starts */
  constructor(some: boolean) {
    this.#some = some;
  }

  /** To be told before the ledger is. */
  wrote(): void {
    this.#some = true;
    this.#writes += 1;
  }

  /** Asks for a page of the log. @returns it, and whether it shows all that was written, as far as was written by now */
  async read(ask: () => Promise<LogPage>): Promise<{ page: LogPage; shows: () => boolean }> {
    const writes = this.#writes;
    const page = await ask();
    return { page, shows: () => this.#some && !page.more && writes === this.#writes };
  }

  shown(): void {
    this.#some = false;
  }

  /** @returns whether this is another greeting than the last, and there is something that was never shown */
  isDoubtful(identity: Identity): boolean {
    return identity !== this.#greeting && this.#some;
  }

  /** To be told once it is stored what follows from that. */
  greeted(identity: Identity): void {
    this.#greeting = identity;
  }
}
