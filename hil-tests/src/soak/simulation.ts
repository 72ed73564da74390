import process from 'node:process';
import { systemClock } from '@whorl/protocol';
import { programmeOf, runProgramme } from '../simulation/programme.ts';
import { shrunk } from '../simulation/shrink.ts';

const ROUNDS = 12;
const YEAR_MS = 365.25 * 86_400_000;

/**
 * Simulated sites with faults, seed after seed, until a time.
 * @param until milliseconds UTC; at least one seed is run
 */
export async function simulationSoak(plan: {
  readonly seed: number;
  readonly until: number;
}): Promise<{ seeds: number; violations: number; deviceYears: number }> {
  let [seeds, violations, deviceMs] = [0, 0, 0];
  // What is thrown where nobody catches it ends the gateway, and this process.
  const monitor = (): void => {
    process.stderr.write(repeat(plan.seed + seeds));
  };
  process.on('uncaughtExceptionMonitor', monitor);
  for (; seeds === 0 || systemClock.now() < plan.until; seeds += 1) {
    const seed = plan.seed + seeds;
    const programme = programmeOf(seed, ROUNDS);
    try {
      deviceMs += (await runProgramme(programme)).deviceMs;
    } catch (error) {
      violations += 1;
      const short = await shrunk(programme, error instanceof Error ? error : new Error(String(error)));
      process.stderr.write(`${short.message}\n${repeat(seed)}`);
    }
  }
  process.off('uncaughtExceptionMonitor', monitor);
  return { seeds, violations, deviceYears: Math.round((deviceMs / YEAR_MS) * 1e6) / 1e6 };
}

function repeat(seed: number): string {
  return `repeat with: npm run --silent soak -- --only programmes --minutes 0 --seed ${seed}\n`;
}
