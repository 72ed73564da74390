import { LINE_FAULTS, TERMINAL_FAULTS } from '@whorl/device-emulator';
import type { Random } from '@whorl/protocol';
import { newName, pick } from './chance.ts';
import { REFUSING, seeToMachine } from './deeds/troubles.ts';
import type { Wish } from './deeds/troubles.ts';
import type { Deed } from './deeds/table.ts';
import type { Played, Run } from './run.ts';

/** Operations on the disk until the gateway's machine loses power, at most. */
const POWER_SPAN = 60;
/** Longest time for which a fault lasts, milliseconds. */
const LASTS_MS = 20_000;
/** Transmissions after which a fault strikes, at most: within a pull or a push. */
const STRIKE_SPAN = 40;
/** Packets until a broker cuts the connection, at most. */
const CUT_SPAN = 12;
const HOUR_MS = 3_600_000;
/** What is lain in wait for: afterwards a merge spreads, a terminal is read and compared, a conflict is kept. */
const MOMENTS = [
  'user.merged',
  'user.added',
  'user.removed',
  'user.erased',
  'user.enrol.succeeded',
  'user.update.succeeded',
  'terminal.online',
  'terminal.offline',
  'terminal.started',
  'terminal.compared',
  'terminal.log.gap',
  'conflict.opened',
  'line.opened',
] as const;
/** From that moment to the fault, milliseconds at most. */
const AMBUSH_MS = 60;
/** From that moment to the loss of power, operations on the disk at most. */
const AMBUSH_OPERATIONS = 6;
/** What a slow broker says comes so much later at most, milliseconds: later than the gateway waits. */
const MOST_LATE_MS = 40_000;
/** Longest that a terminal is waited for until it has what it shall have, milliseconds. */
const GIVEN_MS = 3_000;
/** Longest until a terminal's log of what was written to it is read, milliseconds. */
const READ_MS = 1_500;
/** People who come while nobody looks at the log, at most. */
const GROWS = 5;
/** Longest until the gateway notices that a terminal was restarted in a moment. */
export const NOTICED_MS = 10_000;

/** What is wrong when a fault of the catalogue comes, where its default is not all that can be. */
const GIVEN: Readonly<Record<string, (random: Random) => Readonly<Record<string, number>>>> = {
  corrupt: (random) => ({ rate: pick(random, [1e-5, 1e-4, 1e-3]) }),
  'wrong-baud': (random) => ({ ratio: pick(random, [0.25, 0.5, 0.96, 2]) }),
  held: (random) => ({ beat: pick(random, [4, 16, 50]) }),
  clipped: (random) => ({ bytes: 1 + random.below(4), chance: pick(random, [0.1, 0.5]) }),
  deaf: someFrames,
  mute: someFrames,
  late: (random) => ({ by: 1 + random.below(600), ...someFrames(random) }),
  short: (random) => ({ bytes: 1 + random.below(40), ...someFrames(random) }),
  twice: someFrames,
  garbled: someFrames,
  'wrong-address': (random) => ({ address: 1 + random.below(5) }),
  reboots: (random) => ({ chance: pick(random, [0.005, 0.05]) }),
  'power-cut': (random) => ({ bytes: random.below(4_000), off: 1 + random.below(3_000) }),
  'log-wraps': (random) => pick(random, [{ records: 10 }, { records: 45 }, {}]),
  'clock-jumps': (random) => ({ by: (random.below(1 + 2 * 9_000) - 9_000) * HOUR_MS }),
};

function someFrames(random: Random): Readonly<Record<'chance', number>> {
  return { chance: pick(random, [0.1, 0.5, 1]) };
}

/** Every fault of the emulator's catalogue, where it can be. */
export const FAULTS: readonly (readonly ['line' | 'terminal', string])[] = [
  ...Object.keys(LINE_FAULTS).map((name) => ['line', name] as const),
  ...Object.keys(TERMINAL_FAULTS).map((name) => ['terminal', name] as const),
];

export function* cable({ rig, random }: Run): Generator<Deed> {
  const line = pick(random, [...rig.media.keys()]);
  yield { do: 'cable', line, pulled: random.below(2) === 0 };
}

export function* reboot({ rig, random }: Run): Generator<Deed> {
  yield { do: 'reboot', at: pick(random, [...rig.terminals.keys()]) };
}

export function* noise({ rig, random }: Run): Generator<Deed> {
  yield { do: 'noise', line: pick(random, [...rig.media.keys()]), ms: random.below(3_000) };
}

/** Any fault of the catalogue, at once. */
export function* fault(run: Run): Generator<Deed> {
  yield { do: 'fault', wish: drawn(run) };
}

/** A terminal takes nobody new, or nothing new of them, from now on. */
export function* refuse({ rig, random }: Run): Generator<Deed> {
  const name = pick(random, [...REFUSING]);
  const on = pick(random, [...rig.terminals.keys()]);
  yield { do: 'fault', wish: { on, fault: name, given: {}, forMs: 1 + random.below(LASTS_MS) } };
}

/** Any fault of the catalogue, within whatever is said on a line next. */
export function* strike(run: Run): Generator<Deed> {
  yield { do: 'strike', wish: drawn(run), transmissions: 1 + run.random.below(STRIKE_SPAN) };
}

/** Any fault of the catalogue, or a loss of power, the moment that something happened. */
export function* ambush(run: Run): Generator<Deed> {
  const { machine, random } = run;
  const wish = drawn(run);
  const when = pick(random, MOMENTS);
  if (machine !== undefined && random.below(3) === 0)
    yield { do: 'ambush-power', when, operations: 1 + random.below(AMBUSH_OPERATIONS) };
  else yield { do: 'ambush', when, wish, afterMs: random.below(AMBUSH_MS) };
}

function drawn({ rig, random }: Run): Wish {
  const [where, name] = pick(random, FAULTS);
  const on = pick(random, [...(where === 'line' ? rig.media : rig.terminals).keys()]);
  const lasts = (where === 'line' ? LINE_FAULTS : TERMINAL_FAULTS)[name]?.lasts === true;
  const given = GIVEN[name]?.(random) ?? {};
  return { on, fault: name, given, ...(lasts ? { forMs: 1 + random.below(LASTS_MS) } : {}) };
}

export function* copyFlash(run: Run): Generator<Deed> {
  yield { do: 'copy', at: onWall(run) };
}

/** One that is not carried about. */
export function onWall({ rig, random, carried }: Run): string {
  return pick(
    random,
    [...rig.flashes.keys()].filter((name) => !carried.has(name)),
  );
}

export function* putBack({ copies, random }: Run): Generator<Deed> {
  if (copies.size > 0) yield { do: 'put-back', at: pick(random, [...copies.keys()]) };
}

/**
 * A terminal loses what it has taken in the last seconds, maybe before its log of them was read; maybe its log has grown
 * again before anybody looks.
 */
export function* relapse(run: Run): Generator<Deed> {
  const { random } = run;
  const at = yield* newsAt(run);
  if (at === undefined) return;
  if (random.below(2) === 0) yield { do: 'given', at, withinMs: GIVEN_MS };
  else yield { do: 'pass', ms: random.below(GIVEN_MS) };
  yield { do: 'put-back', at };
  if (random.below(2) === 0) yield { do: 'come', at, people: 1 + random.below(GROWS) };
}

/** The same once its log was read, while the disk takes nothing. */
function* relapseUnstored(run: Run): Generator<Deed> {
  const { random } = run;
  const at = yield* newsAt(run);
  if (at === undefined) return;
  yield { do: 'pass', ms: READ_MS + random.below(READ_MS) };
  yield { do: 'disk', says: pick(random, ['ENOSPC', 'EIO'] as const) };
  yield { do: 'put-back', at };
  yield { do: 'pass', ms: random.below(NOTICED_MS) };
  yield { do: 'disk' };
}

/** Something changes that a terminal is to have, whose flash was copied before. @returns where */
function* newsAt(run: Run): Generator<Deed, string | undefined> {
  const { rig, random, belief } = run;
  const at = onWall(run);
  if (rig.terminal(at).power !== 'on' || belief.users.size === 0) return undefined;
  yield { do: 'copy', at };
  yield { do: 'call', user: pick(random, [...belief.users.keys()]), name: newName(random) };
  return at;
}

/** Some operations on the disk later; whoever looks after the machine sees to it then. */
export function* losePower({ machine, random }: Run): Generator<Deed> {
  if (machine !== undefined) yield { do: 'lose-power', operations: 1 + random.below(POWER_SPAN) };
}

export function* disk(run: Run): Generator<Deed> {
  const { machine, random } = run;
  if (machine === undefined) return;
  const isWorking = machine.disk.refuses === undefined;
  if (isWorking && random.below(2) === 0) {
    yield* relapseUnstored(run);
    return;
  }
  yield { do: 'disk', ...(isWorking ? { says: pick(random, ['ENOSPC', 'EIO'] as const) } : {}) };
}

/** The broker is restarted, slow, says things twice, takes nobody or nothing, or cuts the connection. */
export function* broker({ north, random }: Run): Generator<Deed> {
  if (north === undefined) return;
  const what = pick(random, [
    'restarts',
    'late',
    'twice',
    'refuses',
    'deaf',
    'mute',
    'cuts',
    'cuts',
    'cuts',
  ] as const);
  switch (what) {
    case 'restarts':
      yield { do: 'broker-restarts', forMs: 1 + random.below(LASTS_MS), keeps: random.below(2) === 0 };
      break;
    case 'cuts':
      yield { do: 'broker-cuts', packets: 1 + random.below(CUT_SPAN) };
      break;
    case 'late':
      yield { do: 'broker-feels', mood: { lateMs: 1 + random.below(MOST_LATE_MS) } };
      break;
    case 'twice':
      yield { do: 'broker-feels', mood: { twice: pick(random, [0.1, 0.5, 1]) } };
      break;
    case 'refuses':
    case 'deaf':
    case 'mute':
      yield { do: 'broker-feels', mood: { [what]: !north.broker.mood[what] } };
  }
}

/** Whoever looks after the site puts everything right. */
export async function seeToAll(played: Played): Promise<void> {
  const { rig, machine, north, strikes } = played;
  north?.heal();
  for (const forget of strikes) forget();
  strikes.clear();
  if (machine !== undefined) {
    machine.disk.losePowerAfter(Number.POSITIVE_INFINITY);
    machine.disk.refuses = undefined;
  }
  await seeToMachine(played);
  for (const { on } of rig.faults.active) await rig.faults.heal(on);
  for (const line of rig.media.keys()) await rig.plug(line);
  for (const terminal of rig.terminals.values()) {
    terminal.flash.cutAfter(Number.POSITIVE_INFINITY, () => undefined);
    terminal.powerOn();
  }
  await rig.pass(NOTICED_MS);
}
