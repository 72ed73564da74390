import { newName, pick } from './chance.ts';
import type { Deed } from './deeds/table.ts';
import type { Run } from './run.ts';
import { copyFlash, NOTICED_MS, onWall, putBack } from './troubles.ts';

const SCOPES = ['all-with-device-updates', 'all-with-device-updates', 'access-groups', 'all', 'off'] as const;
const POLICIES = ['fill-vacant', 'fill-vacant', 'terminal-wins', 'newest-wins'] as const;

/** Numbers from here on are nobody's. */
const STRANGERS = 1_000;

/** What people decide between rounds, so that it is known under which settings their changes fall. */
export function* decisions(run: Run): Generator<Deed> {
  const { random } = run;
  if (random.below(3) === 0) yield { do: 'decide', take: pick(random, ['ours', 'theirs'] as const) };
  if (random.below(3) === 0) {
    const autoSync = pick(random, SCOPES);
    const policy = pick(random, POLICIES);
    yield random.below(2) === 0 ? { do: 'scope', autoSync } : { do: 'merge', policy };
  }
  if (random.below(2) === 0) yield* lapse(run);
  if (random.below(2) === 0) yield* copyFlash(run);
  if (random.below(2) === 0) yield* trial(run);
}

/** There are people of all groups before anything is carried about, so that tasks have somebody to bring. */
export function* staffed(run: Run): Generator<Deed> {
  for (const [index, groups] of [[1], [2], [1, 2]].entries())
    yield { do: 'add', user: index + 1, name: newName(run.random), groups };
  yield* decisions(run);
}

/** Something that says by itself how it is to be done. */
function* trial(run: Run): Generator<Deed> {
  const { random, belief } = run;
  const users = [...belief.users.keys()];
  const two = neighbours(run);
  if (two.length === 0) return;
  const [at, neighbour] = pick(random, two);
  const stranger = STRANGERS + random.below(STRANGERS);
  const what = pick(random, ['edit', 'edit', 'delete', 'resolve', 'clash', 'clash', 'bulk'] as const);
  switch (what) {
    case 'edit':
      if (users.length > 0) yield { do: 'edit-alone', user: pick(random, users), name: newName(random) };
      break;
    case 'delete':
      yield { do: 'delete-many', users: users.filter(() => random.below(3) === 0) };
      break;
    case 'resolve':
      yield { do: 'resolve', at: onWall(run) };
      break;
    case 'clash':
      yield { do: 'clash', user: stranger, at: [at, neighbour] };
      break;
    case 'bulk':
      yield { do: 'bulk', user: stranger, at, neighbour };
  }
}

/** For a while nothing goes out by itself, and meanwhile a terminal loses what it was given since it was copied. */
function* lapse(run: Run): Generator<Deed> {
  const { belief, copies } = run;
  const { autoSync } = belief;
  if (autoSync === 'off' || copies.size === 0) return;
  yield { do: 'scope', autoSync: 'off' };
  yield* putBack(run);
  yield { do: 'pass', ms: NOTICED_MS };
  yield { do: 'scope', autoSync };
}

/** What happens while nobody looks after the terminals is to be noticed when somebody does again. */
export function* unwatched(run: Run): Generator<Deed> {
  if (run.belief.autoSync === 'off') yield* putBack(run);
}

/** Two terminals on one line, both for fingers. */
function neighbours({ rig, carried }: Run): (readonly [string, string])[] {
  const some = [...rig.terminals]
    .filter(([name, { model }]) => !carried.has(name) && model.capabilities.fingers > 0)
    .map(([name]) => name);
  return some.flatMap((at) =>
    some
      .filter((other) => other !== at && rig.lineOf(other) === rig.lineOf(at))
      .map((other) => [at, other] as const),
  );
}
