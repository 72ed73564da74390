import type { Random } from '@whorl/protocol';
import { newName, pick } from './chance.ts';
import type { Deed } from './deeds/table.ts';
import type { Run } from './run.ts';
import {
  ambush,
  broker,
  cable,
  copyFlash,
  disk,
  fault,
  losePower,
  noise,
  onWall,
  putBack,
  reboot,
  refuse,
  relapse,
  strike,
} from './troubles.ts';

const USERS = 6;
const FINGERS = 4;
const CROWD = 60;
/** What changes between a backup and its return, at most. */
const MOST_REGRETTED = 3;
/** Longest that terminals are given for what changed before something goes back, milliseconds. */
const GIVEN_MS = 3_000;
/** Longest until a terminal is being brought what changed, milliseconds. */
const GIVING_MS = 200;

/** What people or the world do next, as chance has it: each deed is done before the next one is asked for. */
export type Action = (run: Run) => Iterable<Deed>;

/** How often each is done: what hurts more often than in life. */
export const ACTIONS: readonly (readonly [times: number, action: Action])[] = [
  [6, enrol],
  [2, rename],
  [4, removeThere],
  [2, add],
  [4, call],
  [2, regroup],
  [2, remove],
  [1, erase],
  [1, adjust],
  [3, ask],
  [4, broker],
  [2, cable],
  [2, reboot],
  [2, restart],
  [2, noise],
  [2, crowd],
  [2, clearLog],
  [2, clock],
  [2, idle],
  [4, fault],
  [6, strike],
  [5, ambush],
  [4, squeeze],
  [3, losePower],
  [3, disk],
  [6, amid],
  [2, copyFlash],
  [2, putBack],
  [3, relapse],
  [3, haunt],
  [3, doubted],
];

/** Now and then several fingers in a row, while the first are being fetched. */
function* enrol(run: Run): Generator<Deed> {
  const { rig, random } = run;
  const at = somewhere(run);
  if (at === undefined) return;
  const terminal = rig.terminal(at);
  const user = 1 + random.below(USERS);
  const one = (): Deed => ({ do: 'enrol', at, user, slot: slot(run, at) });
  yield one();
  for (let more = random.below(3) === 0 ? 6 : 0; more > 0; more -= 1) {
    yield { do: 'pass', ms: 1 + random.below(40) };
    if (terminal.power === 'on') yield one();
  }
}

/** The gateway goes back to a moment ago, and the terminals have, or are being given, what it does not know of any more. */
export function* regret(run: Run): Generator<Deed> {
  const { random } = run;
  // What a backup was amid of is known there by halves.
  if (random.below(2) === 0) yield* pick(random, [call, add, regroup])(run);
  yield { do: 'back-up' };
  for (let more = random.below(MOST_REGRETTED); more >= 0; more -= 1)
    yield* pick(random, [call, call, add, regroup, remove, enrol, rename, removeThere])(run);
  if (random.below(3) > 0) yield { do: 'given', at: onWall(run), withinMs: GIVEN_MS };
  else yield { do: 'pass', ms: random.below(GIVEN_MS) };
  yield { do: 'restore' };
}

/** A number becomes somebody else's, while a terminal that is away has who had it before. */
export function* giveAnew({ random, belief }: Run): Generator<Deed> {
  if (belief.users.size === 0) return;
  const user = pick(random, [...belief.users.keys()]);
  yield { do: random.below(3) === 0 ? 'erase' : 'delete', user };
  yield { do: 'add', user, name: newName(random), groups: [1, 2] };
}

/** Somebody is deleted, and a terminal goes back to a moment when they were there. */
function* haunt(run: Run): Generator<Deed> {
  const { random } = run;
  const one = someoneThere(run);
  if (one === undefined) return;
  const { at, user } = one;
  yield { do: 'copy', at };
  yield { do: random.below(3) === 0 ? 'erase' : 'delete', user };
  if (random.below(3) > 0) yield { do: 'given', at, withinMs: GIVEN_MS };
  else yield { do: 'pass', ms: random.below(GIVEN_MS) };
  yield { do: 'put-back', at };
}

/** It becomes doubtful what a terminal holds while it is brought somebody, whom it loses once it was compared. */
function* doubted(run: Run): Generator<Deed> {
  const { random, belief } = run;
  const at = somewhere(run);
  if (at === undefined || belief.users.size === 0) return;
  yield { do: 'call', user: pick(random, [...belief.users.keys()]), name: newName(random) };
  yield { do: 'underway', withinMs: GIVING_MS };
  yield { do: 'clear-log', at };
  yield { do: 'copy', at };
  yield { do: 'compared', at, withinMs: GIVEN_MS };
  yield { do: 'put-back', at };
}

/** Something goes wrong at the moment when a terminal is being brought somebody. */
function* amid(run: Run): Generator<Deed> {
  const { machine, random, belief } = run;
  const user = anyone(random);
  const name = newName(random);
  yield belief.users.has(user) ? { do: 'call', user, name } : { do: 'add', user, name, groups: [1, 2] };
  yield { do: 'underway', withinMs: GIVING_MS };
  const troubles =
    machine === undefined ? [restart, restart, reboot, cable] : [breakdown, breakdown, breakdown, restart];
  yield* pick(random, troubles)(run);
}

function* restart(): Generator<Deed> {
  yield { do: 'restart' };
}

/** The disk takes nothing more, and works again soon. */
function* breakdown({ machine, random }: Run): Generator<Deed> {
  if (machine?.disk.refuses !== undefined) return;
  yield { do: 'disk', says: pick(random, ['ENOSPC', 'EIO'] as const) };
  yield { do: 'pass', ms: random.below(GIVEN_MS) };
  yield { do: 'disk' };
}

/** Somebody comes who is to go where there is no room. */
function* squeeze(run: Run): Generator<Deed> {
  yield* refuse(run);
  yield* enrol(run);
  yield { do: 'pass', ms: run.random.below(3_000) };
}

function* rename(run: Run): Generator<Deed> {
  const one = someoneThere(run);
  if (one !== undefined) yield { do: 'rename', ...one, name: `There ${run.random.below(1000)}` };
}

function* removeThere(run: Run): Generator<Deed> {
  const one = someoneThere(run);
  if (one !== undefined) yield { do: 'remove-there', ...one };
}

function* add({ random }: Run): Generator<Deed> {
  yield { do: 'add', user: anyone(random), name: newName(random), groups: groups(random) };
}

function* call({ random }: Run): Generator<Deed> {
  yield { do: 'call', user: anyone(random), name: newName(random) };
}

function* regroup({ random }: Run): Generator<Deed> {
  yield { do: 'regroup', user: anyone(random), groups: groups(random) };
}

function* remove({ random }: Run): Generator<Deed> {
  yield { do: 'delete', user: anyone(random) };
}

function* erase({ random }: Run): Generator<Deed> {
  yield { do: 'erase', user: anyone(random) };
}

/** So many come that a short log is overwritten, if nobody reads it meanwhile. */
function* crowd(run: Run): Generator<Deed> {
  const at = run.random.below(3) === 0 ? somewhere(run) : whereLogIsShort(run);
  if (at === undefined || run.rig.terminal(at).power !== 'on') return;
  // Who was enrolled just before them is not told of any more.
  if (run.random.below(2) === 0) yield { do: 'enrol', at, user: anyone(run.random), slot: slot(run, at) };
  yield { do: 'come', at, people: CROWD };
}

function* clearLog(run: Run): Generator<Deed> {
  const at = somewhere(run);
  if (at !== undefined) yield { do: 'clear-log', at };
}

function* clock(run: Run): Generator<Deed> {
  const at = somewhere(run);
  if (at !== undefined) yield { do: 'set-clock', at, hours: run.random.below(49) - 24 };
}

function* idle({ random }: Run): Generator<Deed> {
  yield { do: 'pass', ms: random.below(60_000) };
}

function* adjust({ random }: Run): Generator<Deed> {
  const settings = pick(random, [
    { restoreDeleted: random.below(2) === 0 },
    { hold: random.below(2) === 0 },
    { guardUsers: random.below(100), guardPercent: random.below(101) },
  ]);
  yield { do: 'adjust', settings };
}

function* ask({ random }: Run): Generator<Deed> {
  yield { do: 'ask', ...(random.below(2) === 0 ? { againMs: random.below(200) } : {}) };
}

/** A terminal that is on, and on a wall: with those that are carried about, people work otherwise. */
function somewhere(run: Run): string | undefined {
  const name = onWall(run);
  return run.rig.terminal(name).power === 'on' ? name : undefined;
}

function whereLogIsShort({ rig, carried }: Run): string | undefined {
  const capacityOf = (name: string): number => rig.terminal(name).model.capabilities.logs;
  return [...rig.terminals.keys()]
    .filter((name) => !carried.has(name))
    .sort((a, b) => capacityOf(a) - capacityOf(b))[0];
}

/** A finger, or a card where there are no fingers. */
function slot({ rig, random }: Run, at: string): number {
  const { cards, fingers } = rig.terminal(at).model.capabilities;
  return random.below(fingers === 0 ? cards : FINGERS);
}

/** Anybody at a terminal that is on, and on a wall. */
function someoneThere({
  rig,
  random,
  carried,
}: Run): { readonly at: string; readonly user: number } | undefined {
  const all = [...rig.terminals]
    .filter(([name, { power }]) => power === 'on' && !carried.has(name))
    .flatMap(([at, terminal]) => [...terminal.users().keys()].map((user) => ({ at, user })));
  return all.length === 0 ? undefined : pick(random, all);
}

function anyone(random: Random): number {
  return 1 + random.below(USERS);
}

function groups(random: Random): number[] {
  return pick(random, [[], [1], [2], [1, 2]]);
}
