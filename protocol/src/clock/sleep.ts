import { WhorlError } from '../errors.ts';
import type { Clock } from './clock.ts';

/**
 * Waits `delayMs` milliseconds of the given clock.
 * @throws WhorlError ABORTED when `signal` aborts first
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      cancel();
      reject(new WhorlError('ABORTED', 'waiting was cancelled'));
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
