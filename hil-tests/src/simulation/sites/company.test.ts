import { expect, test } from 'vitest';
import { companyProgramme, runCompany } from './company-run.ts';
import { shortProgramme } from './sizes.ts';

/** More in `npm run soak -- --only sites`. */
const SHORT = { satellites: 3, users: 12, halls: 0, days: 1, rounds: 1, stepsADay: 30 };

test(
  'S5 S6 S7 S9 S10 whatever happens to a master and its sites, at rest everybody has what belongs there, once, and the same again from the same seed',
  { timeout: 120_000 },
  async () => {
    const programme = companyProgramme(12, SHORT);
    expect(await runCompany(programme)).toEqual(await runCompany(programme));
  },
);

test.each([1, 3])(
  'S7 S9 S10 whatever a master or a satellite was writing when its power went, nothing that was exchanged is lost or doubled [seed %i]',
  { timeout: 120_000 },
  async (seed) => {
    await runCompany(shortProgramme(seed));
  },
);
