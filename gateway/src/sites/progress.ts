import type { StepName } from './talk.ts';

/** How far a step is: rows that are left of it, and how long that takes when it goes on as it went. */
export interface StepProgress<Step extends string = StepName> {
  readonly step: Step;
  readonly left: number;
  /** Absent as long as nothing of it is done. */
  readonly leftMs?: number;
}

/** Tells from the rows that are left how long a step still takes. */
export class Progress<Step extends string = StepName> {
  #began: { readonly step: Step; readonly left: number; readonly time: number } | undefined;

  /** @param now milliseconds of any clock */
  at(step: Step, left: number, now: number): StepProgress<Step> {
    const began = this.#began;
    if (began?.step !== step || left > began.left) {
      this.#began = { step, left, time: now };
      return { step, left };
    }
    const done = began.left - left;
    return { step, left, ...(done > 0 ? { leftMs: Math.round(((now - began.time) / done) * left) } : {}) };
  }

  /** Nothing is under way. */
  end(): void {
    this.#began = undefined;
  }
}
