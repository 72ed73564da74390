import { performance } from 'node:perf_hooks';
import type { Cancel, Clock } from './clock.ts';

/** The machine's own time. `setTimeout` counts whole milliseconds and may be late; it is never early here. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(delayMs, fire): Cancel {
    const timer = setTimeout(fire, Math.min(Math.ceil(Math.max(0, delayMs)), LONGEST_TIMEOUT_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};

/** `setTimeout` fires at once for delays over 31 bits. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
