import { expect, test } from 'vitest';
import { losePowerOften } from './chain.ts';

const SEEDS = [1, 2, 3];

test.each(SEEDS)(
  'B7 B17 whenever the power goes, what the store acknowledged is there, and nothing is half there or twice [seed %i]',
  { timeout: 120_000 },
  async (seed) => {
    expect((await losePowerOften({ seed, losses: 40 })).losses).toBeGreaterThanOrEqual(40);
  },
);

test.each(['NORMAL', 'OFF'])(
  'with synchronous = %s acknowledged work is lost, and that is found',
  { timeout: 120_000 },
  async (synchronous) => {
    const told = (sql: string): string => sql.replace('synchronous = FULL', `synchronous = ${synchronous}`);
    for (const seed of SEEDS)
      await expect(losePowerOften({ seed, losses: 40, told })).rejects.toThrow(
        /lost|damaged|malformed|VAULT_KEY_MISSING|not a database|missing or empty/,
      );
  },
);

test('two runs of a seed do the same, to the byte', { timeout: 120_000 }, async () => {
  const run = { seed: 4, losses: 15 };
  expect(await losePowerOften(run)).toEqual(await losePowerOften(run));
});
