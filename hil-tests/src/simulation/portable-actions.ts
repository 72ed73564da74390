import { breakOffAt, errand } from './errands.ts';
import {
  breakOff,
  cancel,
  choose,
  confuse,
  dock,
  logInAndOut,
  retask,
  sync,
  workThere,
} from './portables.ts';
import type { Run } from './run.ts';

/** What is done with portable terminals, as chance has it. */
export const WITH_PORTABLES = {
  workThere,
  logInAndOut,
  dock,
  choose,
  sync,
  breakOff,
  errand,
  breakOffAt,
  cancel,
  retask,
  confuse,
} as const satisfies Readonly<Record<string, (run: Run) => Promise<string | undefined> | string | undefined>>;

/** How often, beside all else. */
export const PORTABLE_ACTIONS: readonly (readonly [times: number, what: keyof typeof WITH_PORTABLES])[] = [
  [16, 'workThere'],
  [5, 'logInAndOut'],
  [8, 'dock'],
  [4, 'choose'],
  [8, 'sync'],
  [24, 'breakOff'],
  [12, 'errand'],
  [16, 'breakOffAt'],
  [3, 'cancel'],
  [3, 'retask'],
  [3, 'confuse'],
];
