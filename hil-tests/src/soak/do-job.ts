import { losePowerOften } from '../powerloss/chain.ts';
import { longLife, usualProgramme } from '../simulation/plan.ts';
import type { Programme } from '../simulation/plan.ts';
import { runProgramme } from '../simulation/programme.ts';
import { shrunk } from '../simulation/shrink.ts';
import { runCompany, shrunkCompany } from '../simulation/sites/company-run.ts';
import { isMonth, programmeOfSeed } from '../simulation/sites/sizes.ts';
import { fuzz } from './fuzz.ts';
import type { Job, Outcome } from './job.ts';
import { killSoak } from './kill.ts';
import { noiseSoak } from './noise.ts';

const YEAR_MS = 365.25 * 86_400_000;
/** What noise may leave behind: less than a frame for each terminal, and what the engine keeps for itself. */
const MOST_GROWTH_MB = 5;

/** Does one piece of a soak. @throws only what nobody foresaw */
export async function doJob(job: Job): Promise<Outcome> {
  switch (job.part) {
    case 'kill':
      return kill(job);
    case 'noise':
      return noise(job);
    case 'powerloss':
      return powerLoss(job);
    case 'programmes':
      return programme(usualProgramme(job.seed));
    case 'years':
      return programme(longLife(job.seed));
    case 'sites':
      return company(job.seed);
    case 'fuzz':
      return fuzzed(job);
  }
}

async function kill(job: Extract<Job, { part: 'kill' }>): Promise<Outcome> {
  const { cycles, lost, twice } = await killSoak(job);
  return {
    counts: { 'kill.cycles': cycles, 'kill.lost': lost, 'kill.twice': twice },
    ...(lost + twice === 0
      ? {}
      : { failure: `seed ${job.seed}: ${lost} users lost, ${twice} things done twice` }),
  };
}

async function noise({ forMs }: Extract<Job, { part: 'noise' }>): Promise<Outcome> {
  const result = await noiseSoak({ forMs });
  if (result === undefined) return { counts: {} };
  const counts = {
    'noise.bytes': result.bytes,
    'noise.growth_mb': Math.round(result.growthMb * 100) / 100,
    'noise.back_ms': Math.round(result.backMs),
  };
  if (result.growthMb <= MOST_GROWTH_MB) return { counts };
  return { counts, failure: `noise left ${result.growthMb.toFixed(1)} MB behind` };
}

async function powerLoss({ seed, losses }: Extract<Job, { part: 'powerloss' }>): Promise<Outcome> {
  try {
    const result = await losePowerOften({ seed, losses });
    return { counts: { 'powerloss.cycles': result.losses, 'powerloss.lost': 0 }, hash: result.hash };
  } catch (error) {
    return { counts: { 'powerloss.cycles': 0, 'powerloss.lost': 1 }, failure: textOf(error) };
  }
}

async function programme(wanted: Programme): Promise<Outcome> {
  try {
    const { deviceMs, hash } = await runProgramme(wanted);
    return {
      counts: { 'sim.seeds': 1, 'sim.violations': 0, 'sim.device_years': deviceMs / YEAR_MS },
      hash,
    };
  } catch (error) {
    const short = await shrunk(wanted, error instanceof Error ? error : new Error(String(error)));
    return { counts: { 'sim.seeds': 1, 'sim.violations': 1 }, failure: short.message };
  }
}

async function company(seed: number): Promise<Outcome> {
  const wanted = programmeOfSeed(seed);
  try {
    const { siteMs, hash } = await runCompany(wanted);
    return {
      counts: { 'sites.seeds': 1, 'sites.violations': 0, 'sites.site_years': siteMs / YEAR_MS },
      hash,
    };
  } catch (error) {
    const told = error instanceof Error ? error : new Error(String(error));
    // A month is not run sixty times.
    const short = isMonth(seed) ? told : await shrunkCompany(wanted, told);
    return { counts: { 'sites.seeds': 1, 'sites.violations': 1 }, failure: short.message };
  }
}

function fuzzed({ seed, forMs }: Extract<Job, { part: 'fuzz' }>): Outcome {
  const { frames, crashes, first } = fuzz({ seed, forMs });
  return {
    counts: { 'fuzz.frames': frames, 'fuzz.crashes': crashes },
    ...(first === undefined ? {} : { failure: first }),
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
