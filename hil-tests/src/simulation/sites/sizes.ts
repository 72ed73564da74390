import { companyProgramme } from './company-run.ts';
import type { CompanyProgramme } from './company-run.ts';

const MONTHS = 1000;
const MOST_SATELLITES = 63;
const DAYS = 5;
const HALLS = 4;
/** Of so many seeds, in one the master's machine can lose power, and in one a satellite's. */
const POWERED = 8;
const MASTER = 1;
const SATELLITE = 2;

/** Whether a seed stands for a month of 63 satellites. */
export function isMonth(seed: number): boolean {
  return seed % MONTHS === 0;
}

/** What can lose power, by its sync id; what remains of a seed where the disk is a real one is as before. */
function poweredOf(seed: number): number | undefined {
  if (seed % POWERED === 2) return MASTER;
  return seed % POWERED === 6 ? SATELLITE : undefined;
}

/** A day of three satellites; every second time the machine of the master, or of one of them, can lose power. */
export function shortProgramme(seed: number): CompanyProgramme {
  return companyProgramme(seed, {
    ...{ satellites: 3, halls: 0, users: 12, powered: [undefined, MASTER, undefined, SATELLITE][seed % 4] },
    ...{ days: 1, rounds: 2, stepsADay: 80 },
  });
}

/**
 * What a seed stands for: some days of four satellites, every fourth time one of them with terminals on a line, as often
 * with a machine that loses power.
 */
export function programmeOfSeed(seed: number): CompanyProgramme {
  if (isMonth(seed))
    return companyProgramme(seed, {
      ...{ satellites: MOST_SATELLITES, halls: 2, users: 150 },
      ...{ days: 30, rounds: 6, stepsADay: 40 },
    });
  return companyProgramme(seed, {
    ...{ satellites: 4, halls: seed % HALLS === 0 ? 1 : 0, users: 20, powered: poweredOf(seed) },
    ...{ days: seed % DAYS || 1, rounds: 1 + (seed % 2), stepsADay: 60 },
  });
}
