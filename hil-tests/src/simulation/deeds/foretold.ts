import type { Preview } from '@whorl/gateway/sync/preview';
import { takesUpdates } from '@whorl/gateway/sync/scope';
import { comeToRest } from '../rest.ts';
import type { Played } from '../run.ts';

/** More than all users of a site here. */
export const EVERYBODY = { limit: 10_000 };

type Effect = Preview['users'][number]['effect'];

/**
 * Does at rest what a dry run has told of, and looks whether just that came of it.
 * @throws Error naming who was changed where without being foretold, or was foretold and is not so
 */
export async function asForetold(
  { rig, belief, north, carried }: Played,
  preview: Preview,
  work: () => Promise<unknown>,
): Promise<void> {
  const before = tablesOf(rig);
  const { taken } = belief;
  await work();
  // What is fetched only then nobody knows before.
  const isFetched = !taken && takesUpdates((await rig.gateway.operations.settings()).autoSync);
  const mayCome = (user: number): boolean => belief.shared.has(user) || (isFetched && belief.isApart(user));
  // What is to be done is noted beside other work, a page of users at a time.
  await rig.pass(100);
  await comeToRest(rig, north);
  const effects = new Map(preview.users.map(({ terminal, user, effect }) => [`${terminal} ${user}`, effect]));
  for (const [terminal, after] of tablesOf(rig)) {
    // Users come and go there with syncs only.
    if (carried.has(terminal)) continue;
    for (const user of new Set([...(before.get(terminal)?.keys() ?? []), ...after.keys()])) {
      // When one of two people is gone, the other one may come, and go everywhere, as soon as a terminal is compared.
      if (mayCome(user)) continue;
      const effect = effects.get(`${terminal} ${user}`);
      const wrong = wrongWith(effect, before.get(terminal)?.get(user), after.get(user));
      if (wrong !== undefined)
        throw new Error(
          `B13 a dry run says what is done: user ${user} ${wrong} ${terminal}, and it said ${effect ?? 'nothing'}`,
        );
    }
  }
  const told = preview.users.filter(({ user, terminal }) => !mayCome(user) && !carried.has(terminal));
  for (const { terminal, user, effect } of told)
    if (effect === 'added' && !rig.terminal(terminal).users().has(user))
      throw new Error(`B13 a dry run says what is done: user ${user} was to be added at ${terminal}`);
}

function wrongWith(
  effect: Effect | undefined,
  was: string | undefined,
  is: string | undefined,
): string | undefined {
  const isSent = effect === 'added' || effect === 'overwritten';
  if (is === undefined) return effect === 'removed' ? undefined : 'was removed from';
  if (effect === 'removed') return 'was not removed from';
  if (was === undefined) return isSent ? undefined : 'was added at';
  return was === is || isSent ? undefined : 'was overwritten at';
}

function tablesOf(rig: Played['rig']): ReadonlyMap<string, ReadonlyMap<number, string>> {
  return new Map([...rig.terminals].map(([name, terminal]) => [name, new Map(terminal.users())]));
}
