import { z } from 'zod';
import { deedSchema } from './deeds/table.ts';
import type { Deed } from './deeds/table.ts';
import type { Programme, SiteName } from './plan.ts';

const siteSchema = z.enum(['few', 'usual', 'handheld', 'handhelds', 'full']);

/**
 * What was done in a programme, deed by deed: it stays the same whatever becomes of how chance draws programmes. Of the
 * seed follow the terminals' keys and templates, and whether the gateway has a machine that can lose power and a broker.
 */
export interface Script {
  readonly seed: number;
  readonly site: SiteName;
  readonly backups?: boolean | undefined;
  readonly rounds: { readonly begins: Deed[]; readonly deeds: Deed[]; readonly home: number }[];
}

export const scriptSchema = z.strictObject({
  seed: z.int(),
  site: siteSchema,
  backups: z.boolean().optional(),
  rounds: z.array(z.strictObject({ begins: z.array(deedSchema), deeds: z.array(deedSchema), home: z.int() })),
});

/** The programme that does what was done. */
export function programmeOfScript({ seed, site, backups, rounds }: Script): Programme {
  return {
    seed,
    site,
    backups: backups === true,
    rounds: rounds.map(({ begins, deeds, home }) => ({
      home,
      begins: { action: () => begins, seed: 0 },
      steps: deeds.map((deed) => ({ action: () => [deed], seed: 0 })),
    })),
  };
}
