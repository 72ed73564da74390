import { companyProgramme } from './company-run.ts';
import type { CompanyProgramme } from './company-run.ts';

const MONTHS = 1000;
const MOST_SATELLITES = 63;
const DAYS = 5;
const HALLS = 4;

/** Whether a seed stands for a month of 63 satellites. */
export function isMonth(seed: number): boolean {
  return seed % MONTHS === 0;
}

/** What a seed stands for: some days of four satellites, every fourth time one of them with terminals on a line. */
export function programmeOfSeed(seed: number): CompanyProgramme {
  if (isMonth(seed))
    return companyProgramme(seed, {
      ...{ satellites: MOST_SATELLITES, halls: 2, users: 150 },
      ...{ days: 30, rounds: 6, stepsADay: 40 },
    });
  return companyProgramme(seed, {
    ...{ satellites: 4, halls: seed % HALLS === 0 ? 1 : 0, users: 20 },
    ...{ days: seed % DAYS || 1, rounds: 1 + (seed % 2), stepsADay: 60 },
  });
}
