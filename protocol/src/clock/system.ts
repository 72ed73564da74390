import { performance } from 'node:perf_hooks';
import type { Cancel, Clock } from './clock.ts';

/** `setTimeout` fires at once for delays over 31 bits. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * The machine's own time. `setTimeout` counts whole milliseconds of its own and can be a fraction early by the clock
 * that deadlines are read from; whoever waits for a deadline must not be woken before it.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(delayMs, fire): Cancel {
    const due = performance.now() + Math.max(0, delayMs);
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const left = due - performance.now();
      timer = setTimeout(
        left > LONGEST_TIMEOUT_MS ? wait : ring,
        Math.min(Math.ceil(left), LONGEST_TIMEOUT_MS),
      );
    };
    const ring = (): void => {
      if (performance.now() < due) wait();
      else fire();
    };
    wait();
    return () => {
      clearTimeout(timer);
    };
  },
};
