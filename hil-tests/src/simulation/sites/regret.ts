import { pick } from '../chance.ts';
import * as people from './people.ts';
import type { Run } from './run.ts';
import { backUpAt, restoreAt, syncNow } from './troubles.ts';

/** What changes between a backup and its return, at most; and how far apart, milliseconds. */
const MOST_REGRETTED = 4;
const APART_MS = [100, 60_000, 6 * 3_600_000] as const;
const REGRETTED = [people.enrol, people.add, people.rename, people.remove, people.remove, syncNow] as const;

/** A gateway goes back to a moment ago, and others know what it does not know of any more. */
export async function regret(run: Run): Promise<string | undefined> {
  const { company, random } = run;
  const premises = random.below(2) === 0 ? company.master : pick(random, company.satellites);
  const told = [await backUpAt(run, premises)];
  for (let more = random.below(MOST_REGRETTED); more >= 0; more -= 1) {
    told.push(await pick(random, REGRETTED)(run));
    await company.pass(random.below(pick(random, APART_MS)));
  }
  told.push(await restoreAt(run, premises));
  return told.filter((one) => one !== undefined).join('; ') || undefined;
}
