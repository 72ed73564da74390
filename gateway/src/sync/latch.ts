import type { Cancel, Clock } from '@whorl/protocol';

/** A loop's doorbell: rings that come while nobody waits are not lost. */
export class Latch {
  readonly #clock: Clock;
  #rung = false;
  #release: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#release?.();
  }

  /** Waits for a ring, at most `ms` when given. */
  wait(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      let cancel: Cancel | undefined;
      const release = (): void => {
        cancel?.();
        this.#release = undefined;
        this.#rung = false;
        resolve();
      };
      if (this.#rung) {
        release();
        return;
      }
      this.#release = release;
      if (ms !== undefined) cancel = this.#clock.after(ms, release);
    });
  }
}
