import { LINE_FAULTS, TERMINAL_FAULTS } from '@whorl/device-emulator';
import { codeOf } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { pick } from './chance.ts';
import type { Run } from './run.ts';

/** Operations on the disk until the gateway's machine loses power, at most. */
const POWER_SPAN = 60;
/** Longest time for which a fault lasts, milliseconds. */
const LASTS_MS = 20_000;
/** Transmissions after which a fault strikes, at most: within a pull or a push. */
const STRIKE_SPAN = 40;
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
/** Longest until the gateway notices that a terminal was restarted in a moment. */
const NOTICED_MS = 10_000;

/** What is wrong when a fault of the catalogue comes, where its default is not all that can be. */
const GIVEN: Readonly<Record<string, (random: Random) => object>> = {
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

function someFrames(random: Random): { readonly chance: number } {
  return { chance: pick(random, [0.1, 0.5, 1]) };
}

/** Every fault of the emulator's catalogue, where it can be. */
export const FAULTS: readonly (readonly ['line' | 'terminal', string])[] = [
  ...Object.keys(LINE_FAULTS).map((name) => ['line', name] as const),
  ...Object.keys(TERMINAL_FAULTS).map((name) => ['terminal', name] as const),
];

export async function cable({ rig, random, belief }: Run): Promise<string> {
  const line = pick(random, [...rig.media.keys()]);
  const pulled = random.below(2) === 0;
  belief.faults += 1;
  await (pulled ? rig.unplug(line) : rig.plug(line));
  return `${line}: the cable is ${pulled ? 'pulled' : 'plugged in'}`;
}

export function reboot({ rig, random, belief }: Run): string {
  const name = pick(random, [...rig.terminals.keys()]);
  rig.terminal(name).reboot();
  belief.faults += 1;
  return `${name}: restarts`;
}

export async function restart({ rig, machine, belief }: Run): Promise<string | undefined> {
  // Without a disk it does not start, as it must not.
  if (machine?.disk.refuses !== undefined) return undefined;
  belief.faults += 1;
  try {
    await rig.restartGateway();
  } catch (error) {
    if (machine?.disk.lost !== true) throw error;
  }
  return 'gateway: restarts';
}

export function noise({ rig, random, belief }: Run): string {
  const line = pick(random, [...rig.media.keys()]);
  const ms = random.below(3_000);
  belief.faults += 1;
  rig.media.get(line)?.noise(ms);
  return `${line}: ${ms} ms of noise`;
}

/** Any fault of the catalogue, at once. */
export async function fault(run: Run): Promise<string | undefined> {
  const wish = drawn(run);
  return (await begun(run, wish)) ? toldOf(wish) : undefined;
}

/** A terminal takes nobody new, or nothing new of them, from now on. */
export async function refuse(run: Run): Promise<string | undefined> {
  const { rig, random } = run;
  const fault = pick(random, ['memory-full', 'slots-full', 'wrong-format', 'flash-fails']);
  const on = pick(random, [...rig.terminals.keys()]);
  const wish = { on, fault, given: {}, forMs: 1 + random.below(LASTS_MS) };
  return (await begun(run, wish)) ? toldOf(wish) : undefined;
}

/** Any fault of the catalogue, within whatever is said on a line next. */
export function strike(run: Run): string | undefined {
  const { rig, random, strikes } = run;
  const wish = drawn(run);
  const left = 1 + random.below(STRIKE_SPAN);
  const line = rig.media.has(wish.on) ? wish.on : rig.lineOf(wish.on);
  let count = left;
  const forget = rig.media.get(line)?.tap(() => {
    if ((count -= 1) > 0) return;
    forget?.();
    rig.clock.after(0, () => void begun(run, wish));
  });
  if (forget === undefined) return undefined;
  strikes.add(forget);
  return `${toldOf(wish)}, ${left} transmissions later`;
}

/** Any fault of the catalogue, or a loss of power, the moment that something happened: amid what follows from it. */
export function ambush(run: Run): string {
  const { rig, machine, random, strikes } = run;
  const wish = drawn(run);
  const when = pick(random, MOMENTS);
  const afterMs = random.below(AMBUSH_MS);
  const operations = 1 + random.below(AMBUSH_OPERATIONS);
  const isPower = machine !== undefined && random.below(3) === 0;
  const forget = rig.gateway.hub.subscribe(({ type }) => {
    if (type !== when) return;
    forget();
    strikes.delete(forget);
    if (isPower) machine.disk.losePowerAfter(operations);
    else rig.clock.after(afterMs, () => void begun(run, wish));
  });
  strikes.add(forget);
  const what = isPower ? `gateway: power for ${operations} more operations on the disk` : toldOf(wish);
  return `${what}, when ${when}${isPower ? '' : `, ${afterMs} ms later`}`;
}

interface Wish {
  readonly on: string;
  readonly fault: string;
  readonly given: object;
  readonly forMs?: number;
}

function drawn({ rig, random }: Run): Wish {
  const [where, fault] = pick(random, FAULTS);
  const on = pick(random, [...(where === 'line' ? rig.media : rig.terminals).keys()]);
  const lasts = (where === 'line' ? LINE_FAULTS : TERMINAL_FAULTS)[fault]?.lasts === true;
  const given = GIVEN[fault]?.(random) ?? {};
  return { on, fault, given, ...(lasts ? { forMs: 1 + random.below(LASTS_MS) } : {}) };
}

function toldOf({ on, fault, given, forMs }: Wish): string {
  const options = Object.entries(given).map(([name, value]) => ` ${name} ${value}`);
  return `${on}: ${fault}${options.join('')}${forMs === undefined ? '' : ` for ${forMs} ms`}`;
}

/** @returns whether it could be: nothing inside a terminal that is off goes wrong */
async function begun({ rig, belief }: Run, { on, ...wish }: Wish): Promise<boolean> {
  belief.faults += 1;
  try {
    await rig.faults.begin(rig.target(on), wish);
    return true;
  } catch (error) {
    if (codeOf(error) === 'TERMINAL_OFF' || codeOf(error) === 'FLASH_FAILED') return false;
    throw error;
  }
}

/** Somebody copies what a terminal keeps, as service people do. */
export function copyFlash(run: Run): string | undefined {
  return copyOf(run, onWall(run));
}

function onWall({ rig, random, carried }: Run): string {
  return pick(
    random,
    [...rig.flashes.keys()].filter((name) => !carried.has(name)),
  );
}

function copyOf({ rig, copies }: Run, name: string): string | undefined {
  const [terminal, flash] = [rig.terminal(name), rig.flashes.get(name)];
  if (flash === undefined || terminal.power !== 'on') return undefined;
  const changes = terminal
    .logs()
    .filter(({ origin, kind }) => origin === 'terminal' && kind.startsWith('user.'));
  copies.set(name, { flash: flash.read(), changes: changes.length });
  return `${name}: its flash is copied`;
}

/** Later that copy is put back: what was done there since is gone, and what was undone since is there again. */
export function putBack(run: Run): string | undefined {
  return run.copies.size === 0 ? undefined : back(run, pick(run.random, [...run.copies.keys()]));
}

/** A terminal loses what it has taken in the last seconds, maybe before its log of them was read. */
export async function relapse(
  run: Run,
  meanwhile: (run: Run) => Promise<string | undefined>,
): Promise<string | undefined> {
  const name = onWall(run);
  const copied = copyOf(run, name);
  if (copied === undefined) return undefined;
  const done = await meanwhile(run);
  await run.rig.pass(run.random.below(3_000));
  return [copied, done, back(run, name)].filter((one) => one !== undefined).join('; ');
}

function back({ rig, belief, copies }: Run, name: string): string | undefined {
  const [terminal, flash, copy] = [rig.terminal(name), rig.flashes.get(name), copies.get(name)];
  if (flash === undefined || copy === undefined) return undefined;
  terminal.powerOff();
  terminal.flash.cutAfter(Number.POSITIVE_INFINITY, () => undefined);
  flash.replace([copy.flash]);
  terminal.powerOn();
  belief.faults += 1;
  belief.wentBack(name, copy.changes);
  return `${name}: the copy of its flash is put back`;
}

/** Some operations on the disk later; whoever looks after the machine sees to it then. */
export function losePower({ machine, random, belief }: Run): string | undefined {
  if (machine === undefined) return undefined;
  const operations = 1 + random.below(POWER_SPAN);
  belief.faults += 1;
  machine.disk.losePowerAfter(operations);
  return `gateway: power for ${operations} more operations on the disk`;
}

/** The gateway's disk takes nothing more until somebody sees to it, or does again. */
export function disk({ machine, random, belief }: Run): string | undefined {
  if (machine === undefined) return undefined;
  belief.faults += 1;
  const { disk: its } = machine;
  its.refuses = its.refuses === undefined ? pick(random, ['ENOSPC', 'EIO'] as const) : undefined;
  return `gateway: the disk ${its.refuses === undefined ? 'works again' : `says ${its.refuses}`}`;
}

/** The broker is restarted, slow, says things twice, takes nobody or nothing, or cuts the connection. */
export function broker({ rig, north, random, belief }: Run): string | undefined {
  if (north === undefined) return undefined;
  const { broker: its } = north;
  belief.faults += 1;
  const what = pick(random, ['restarts', 'late', 'twice', 'refuses', 'deaf', 'mute', 'cuts'] as const);
  const forMs = 1 + random.below(LASTS_MS);
  switch (what) {
    case 'restarts': {
      its.stop(random.below(2) === 0);
      rig.clock.after(forMs, () => its.start());
      break;
    }
    case 'cuts':
      its.cutAfter(1 + random.below(STRIKE_SPAN));
      break;
    case 'late':
      its.mood = { ...its.mood, lateMs: 1 + random.below(MOST_LATE_MS) };
      break;
    case 'twice':
      its.mood = { ...its.mood, twice: pick(random, [0.1, 0.5, 1]) };
      break;
    case 'refuses':
    case 'deaf':
    case 'mute':
      its.mood = { ...its.mood, [what]: !its.mood[what] };
  }
  return `broker: ${what}${what === 'restarts' ? `, for ${forMs} ms` : ''}`;
}

/** Whoever looks after the site puts everything right. */
export async function seeToAll({ rig, machine, north, strikes }: Run): Promise<void> {
  north?.heal();
  for (const forget of strikes) forget();
  strikes.clear();
  if (machine !== undefined) {
    machine.disk.losePowerAfter(Number.POSITIVE_INFINITY);
    machine.disk.refuses = undefined;
  }
  for (const { on } of rig.faults.active) await rig.faults.heal(on);
  for (const line of rig.media.keys()) await rig.plug(line);
  for (const terminal of rig.terminals.values()) {
    terminal.flash.cutAfter(Number.POSITIVE_INFINITY, () => undefined);
    terminal.powerOn();
  }
  await rig.pass(NOTICED_MS);
}
