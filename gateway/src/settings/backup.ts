import { resolve } from 'node:path';
import { z } from 'zod';

/** Backups that the gateway makes by itself. */
export const backupSchema = z.strictObject({
  directory: z
    .string()
    .min(1)
    .describe('Where they go, relative to this file; best on another disk. The master key is never there.'),
  hours: z.number().min(0.1).max(720).default(24).describe('Hours from one to the next.'),
  keep: z.int().min(1).max(1000).default(7).describe('So many are kept; older ones are removed.'),
});

export interface BackupPlan {
  /** Absolute path. */
  readonly directory: string;
  readonly hours: number;
  readonly keep: number;
}

/** @param directory of the configuration file */
export function resolveBackup(
  plan: z.output<typeof backupSchema> | undefined,
  directory: string,
): BackupPlan | undefined {
  return plan === undefined ? undefined : { ...plan, directory: resolve(directory, plan.directory) };
}
