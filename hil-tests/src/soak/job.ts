import { z } from 'zod';

const seed = z.int();

/** One piece of a soak; whoever does it needs nothing else. */
export const jobSchema = z.discriminatedUnion('part', [
  z.strictObject({
    part: z.literal('kill'),
    seed,
    users: z.int(),
    fingers: z.int(),
    kills: z.int(),
  }),
  z.strictObject({ part: z.literal('noise'), seed, forMs: z.number() }),
  z.strictObject({ part: z.literal('powerloss'), seed, losses: z.int() }),
  z.strictObject({ part: z.literal('programmes'), seed }),
  z.strictObject({ part: z.literal('years'), seed }),
  z.strictObject({ part: z.literal('sites'), seed }),
  z.strictObject({ part: z.literal('fuzz'), seed, forMs: z.number() }),
]);

export type Job = z.infer<typeof jobSchema>;
export type Part = Job['part'];
export const PARTS: readonly Part[] = ['kill', 'noise', 'powerloss', 'programmes', 'years', 'sites', 'fuzz'];

/** What came of a job. */
export const outcomeSchema = z.strictObject({
  /** What was counted, added up over all jobs of a part. */
  counts: z.record(z.string(), z.number()),
  /** Of all that was done and held in the end, where a seed tells it. */
  hash: z.string().exactOptional(),
  /** What was not as it must be, and how to repeat it. */
  failure: z.string().exactOptional(),
});

export type Outcome = z.infer<typeof outcomeSchema>;

/** The command that does a job alone, in this process, where a debugger can stop it. */
export function repeating({ part, seed }: Pick<Job, 'part' | 'seed'>): string {
  return `repeat with: npm run --silent soak -- --only ${part} --minutes 0 --workers 0 --seed ${seed}`;
}
