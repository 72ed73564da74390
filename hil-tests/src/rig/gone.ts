import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where a behaviour that finds the bench gone tells it to those after it, which run in processes of their own: each
 * would wait for it again.
 * @param data folder of the rig
 */
function placeIn(data: string): string {
  return join(data, 'gone.txt');
}

/** Why the bench is gone; `undefined` while it is there. */
export function gone(data: string): string | undefined {
  try {
    return readFileSync(placeIn(data), 'utf8');
  } catch {
    return undefined;
  }
}

export function tellGone(data: string, why: string): void {
  writeFileSync(placeIn(data), why);
}

/** A run begins, whatever one before it had found. */
export function forgetGone(data: string): void {
  rmSync(placeIn(data), { force: true });
}
