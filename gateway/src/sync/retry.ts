/** A transient failure is tried this often, then it waits for someone to ask. */
export const MOST_ATTEMPTS = 12;

const FIRST_MS = 1_000;
const LAST_MS = 3_600_000;

/**
 * When to try again after `attempts` failures: 1 s, doubling, at most an hour; `undefined` when it is given up.
 * @param now milliseconds UTC
 */
export function nextTry(attempts: number, now: number): number | undefined {
  if (attempts >= MOST_ATTEMPTS) return undefined;
  return now + Math.min(FIRST_MS * 2 ** (attempts - 1), LAST_MS);
}

/** As {@link nextTry}, for what must never be given up. */
export function nextTryForEver(attempts: number, now: number): number {
  return now + Math.min(FIRST_MS * 2 ** (Math.min(attempts, MOST_ATTEMPTS) - 1), LAST_MS / 12);
}
