import { expect, test } from 'vitest';
import { companyProgramme, runCompany } from './company-run.ts';

/** Seeds that have found something once, with days, rounds and whether terminals are on a line. */
const FOUND = [
  // A conflict of somebody who had long been offered never reached the master.
  { seed: 12, days: 1, rounds: 1, halls: 0 },
  // A site was taken for its own copy after its master had died.
  { seed: 6, days: 1, rounds: 1, halls: 0 },
] as const;
const SIZE = { satellites: 4, users: 20, stepsADay: 60 };

test.each(FOUND)(
  'S5 S6 S7 S9 S10 whatever happens to a master and its sites, at rest everybody has what belongs there, once [seed $seed]',
  { timeout: 60_000 },
  async ({ seed, ...size }) => {
    await runCompany(companyProgramme(seed, { ...SIZE, ...size }));
  },
);

test('two runs of a seed of a company end in the same state', { timeout: 60_000 }, async () => {
  const programme = companyProgramme(18, { ...SIZE, days: 1, rounds: 1, halls: 0, stepsADay: 20 });
  expect(await runCompany(programme)).toEqual(await runCompany(programme));
});
