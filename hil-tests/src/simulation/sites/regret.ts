import { pick } from '../chance.ts';
import * as people from './people.ts';
import type { Premises } from './premises.ts';
import type { Run } from './run.ts';
import { backUpAt, restoreAt, syncNow } from './troubles.ts';

/** What changes before a gateway goes back, and behind, at most; and how far apart, milliseconds. */
const MOST_CHANGES = 3;
const APART_MS = [100, 60_000, 6 * 3_600_000] as const;
const CHANGES = [people.enrol, people.rename, people.regroup, people.remove, syncNow] as const;

/**
 * A gateway goes back to a moment ago, and others know what it does not know of any more; maybe another one does amid
 * that. Mostly it is about one user.
 */
export async function regret(run: Run): Promise<string | undefined> {
  const { company, random } = run;
  const held = company.master.isUp ? await company.master.now.store.users({ limit: 1000 }) : [];
  if (held.length === 0) return undefined;
  const { id } = pick(random, held);
  const told = await gone(run, id, random.below(2) === 0);
  return told.filter((one) => one !== undefined).join('; ') || undefined;
}

async function gone(run: Run, user: number, twice: boolean): Promise<(string | undefined)[]> {
  const premises = someGateway(run);
  const told = [await backUpAt(run, premises), ...(await changes(run, user))];
  if (twice) told.push(...(await gone(run, user, false)));
  told.push(await restoreAt(run, premises), ...(await changes(run, user)));
  return told;
}

function someGateway({ company, random }: Run): Premises {
  return random.below(2) === 0 ? company.master : pick(random, company.satellites);
}

async function changes(run: Run, user: number): Promise<(string | undefined)[]> {
  const { company, random } = run;
  const told: (string | undefined)[] = [];
  for (let more = random.below(MOST_CHANGES + 1); more > 0; more -= 1) {
    const change = pick(random, CHANGES);
    told.push(await (random.below(4) === 0 ? change(run) : change(run, user)));
    await company.pass(random.below(pick(random, APART_MS)));
  }
  return told;
}
