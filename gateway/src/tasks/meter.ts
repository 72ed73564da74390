import type { Clock } from '@whorl/protocol';
import type { SyncStage } from '../terminals/portable.ts';

/** How far a session is in its stage. */
export interface Measured {
  readonly stage: SyncStage;
  readonly done: number;
  readonly total: number;
  readonly bytes: number;
  /** Bytes a second. */
  readonly rate: number;
  /** Seconds; 0 while it cannot be told. */
  readonly left: number;
}

/** Measures the stages of a session. */
export class Meter {
  readonly #clock: Clock;
  #stage: SyncStage = 'preparing';
  #began: number;
  #done = 0;
  #total = 0;
  #bytes = 0;
  #allBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.now();
  }

  get stage(): SyncStage {
    return this.#stage;
  }

  begin(stage: SyncStage): void {
    this.#stage = stage;
    this.#began = this.#clock.now();
    [this.#done, this.#total, this.#bytes, this.#allBytes] = [0, 0, 0, 0];
  }

  /** What is to be done in this stage, besides what was. */
  expect(total: number, bytes = 0): void {
    this.#total = this.#done + total;
    this.#allBytes = this.#bytes + bytes;
  }

  add(done: number, bytes: number): void {
    this.set(this.#done + done, this.#bytes + bytes);
  }

  set(done: number, bytes: number): void {
    this.#done = done;
    this.#bytes = bytes;
  }

  get now(): Measured {
    const seconds = (this.#clock.now() - this.#began) / 1000;
    const rate = seconds > 0 ? this.#bytes / seconds : 0;
    const left = rate > 0 ? Math.max(0, this.#allBytes - this.#bytes) / rate : 0;
    return {
      ...{ stage: this.#stage, done: this.#done, total: this.#total, bytes: this.#bytes },
      rate: Math.round(rate),
      left: Math.ceil(left),
    };
  }
}
