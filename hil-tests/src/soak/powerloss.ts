import process from 'node:process';
import { systemClock } from '@whorl/protocol';
import { losePowerOften } from '../powerloss/chain.ts';

const LOSSES_A_SEED = 100;

/**
 * Power losses of the gateway's store on a simulated disk, seed after seed, until a time.
 * @param until milliseconds UTC; at least one seed is run
 * @returns how often the power went, and how many seeds lost something
 */
export async function powerLossSoak(plan: {
  readonly seed: number;
  readonly until: number;
}): Promise<{ cycles: number; lost: number }> {
  let [cycles, lost] = [0, 0];
  for (let seed = plan.seed; seed === plan.seed || systemClock.now() < plan.until; seed += 1)
    try {
      cycles += (await losePowerOften({ seed, losses: LOSSES_A_SEED })).losses;
    } catch (error) {
      lost += 1;
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}
repeat with: npm run --silent soak -- --only powerloss --minutes 0 --seed ${seed}\n`);
    }
  return { cycles, lost };
}
