import { pick } from './chance.ts';
import { comeToRest } from './rest.ts';
import type { Run } from './run.ts';

const SCOPES = ['all-with-device-updates', 'all-with-device-updates', 'access-groups', 'all', 'off'] as const;
const POLICIES = ['fill-vacant', 'fill-vacant', 'terminal-wins', 'newest-wins'] as const;

/** Between rounds, so that it is known under which one people's changes fall. */
export async function changeScope(run: Run): Promise<void> {
  const { rig, random, belief, north, trace } = run;
  if (random.below(3) > 0) return;
  await comeToRest(rig, north);
  const { operations } = rig.gateway;
  const autoSync = pick(random, SCOPES);
  const name = pick(random, POLICIES);
  const wanted = random.below(2) === 0 ? { autoSync } : { merge: { name } };
  const { confirm } = await operations.previewSettings(wanted, {});
  const now = await operations.changeSettings(wanted, { confirm });
  belief.taken = now.autoSync !== 'off' && now.autoSync !== 'all';
  belief.keepsNames = (now.merge.name ?? 'fill-vacant') === 'fill-vacant';
  if (!belief.keepsNames) belief.forgetNames();
  // The ledger is brought in line beside other work, a page of users at a time.
  await rig.pass(100);
  trace.push(`gateway: ${JSON.stringify(wanted)}`);
}

export async function decideSomething({ rig, random, belief, trace }: Run): Promise<void> {
  if (random.below(3) > 0) return;
  const take = pick(random, ['ours', 'theirs'] as const);
  const people = await rig.gateway.store.conflicts({ limit: 1000 });
  const decided = await rig.gateway.operations.decideConflicts({}, take);
  if (decided === 0) return;
  // Who was held apart has the number from now on, whoever had it.
  for (const { kind, user } of people) if (kind === 'two-people' && take === 'theirs') belief.unsure(user);
  trace.push(`gateway: ${decided} conflicts are decided for ${take}`);
  belief.decided();
}
