import process from 'node:process';
import { z } from 'zod';
import { consolePlace } from './console.ts';
import { readRig } from './rig-file.ts';
import type { RigFile } from './rig-file.ts';

/** The variable by which `whorl-hil` tells behaviours where they run. */
export const HIL_VARIABLE = 'WHORL_HIL';

const told = z.strictObject({
  /** Path of the rig file. */
  rig: z.string(),
  /** Whether destructive behaviours may run. */
  consents: z.boolean(),
  /** None when nobody is to be asked. */
  console: consolePlace.optional(),
  /** Where this run begins in the range of user ids, 0 to 1. */
  begin: z.number(),
});

export type HilTold = z.infer<typeof told>;

/** How `whorl-hil` has started this process; `undefined` when it has not. */
export function hilRun(): (HilTold & { readonly file: RigFile }) | undefined {
  const text = process.env[HIL_VARIABLE];
  if (text === undefined || text === '') return undefined;
  const run = told.parse(JSON.parse(text));
  return { ...run, file: readRig(run.rig) };
}
