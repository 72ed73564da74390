import { LINE_FAULTS, TERMINAL_FAULTS } from '@whorl/device-emulator';
import { codeOf } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import type { Rig } from '../rig/rig.ts';
import type { Run } from './run.ts';

const USERS = 6;
const FINGERS = 4;
/** Operations on the disk until the gateway's machine loses power, at most. */
const POWER_SPAN = 60;

interface Place {
  readonly name: string;
  readonly terminal: ReturnType<Rig['terminal']>;
}

/** Something that people or the world do; answers what it was, or nothing when it does not apply. */
export type Action = (run: Run) => Promise<string | undefined> | string | undefined;

/** How often each is done: what hurts more often than in life. */
export const ACTIONS: readonly (readonly [times: number, action: Action])[] = [
  [6, enrol],
  [2, editName],
  [2, removeThere],
  [2, add],
  [4, edit],
  [2, regroup],
  [2, remove],
  [2, cable],
  [2, reboot],
  [2, restart],
  [2, noise],
  [2, crowd],
  [2, clearLog],
  [2, clock],
  [2, idle],
  [4, fault],
  [3, losePower],
];

/** Now and then several fingers in a row, while the first are being fetched. */
async function enrol(run: Run): Promise<string | undefined> {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const user = 1 + run.random.below(USERS);
  const told = [enrolOne(run, place, user)];
  for (let more = run.random.below(3) === 0 ? 6 : 0; more > 0; more -= 1) {
    await run.rig.pass(1 + run.random.below(40));
    if (place.terminal.power === 'on') told.push(enrolOne(run, place, user));
  }
  return told.join('; ');
}

function enrolOne(run: Run, { name, terminal }: Place, user: number): string {
  const { cards, fingers } = terminal.model.capabilities;
  const cardOnly = fingers === 0;
  const slot = run.random.below(cardOnly ? cards : FINGERS);
  const field = cardOnly ? 0x10 + slot : 0x40 + slot;
  terminal.enrol(cardOnly ? { user, card: slot } : { user, finger: slot });
  const value = Buffer.from(terminal.record(user)?.fields.get(field) ?? []).toString('base64');
  run.belief.enrolledAt({ terminal: name, user, field, value });
  return `${name}: ${cardOnly ? 'card' : 'finger'} ${slot} of user ${user} is enrolled`;
}

function editName(run: Run): string | undefined {
  const place = somewhere(run);
  const user = place === undefined ? undefined : someoneAt(run, place.terminal);
  if (place === undefined || user === undefined) return undefined;
  const name = `There ${run.random.below(1000)}`;
  place.terminal.edit({ user, set: { name } });
  run.belief.editedAt(place.name, user);
  return `${place.name}: user ${user} is called ${name}`;
}

function removeThere(run: Run): string | undefined {
  const place = somewhere(run);
  const user = place === undefined ? undefined : someoneAt(run, place.terminal);
  if (place === undefined || user === undefined) return undefined;
  place.terminal.remove(user);
  run.belief.removedAt(place.name, user);
  return `${place.name}: user ${user} is deleted there`;
}

async function add({ rig, random, belief }: Run): Promise<string | undefined> {
  const user = 1 + random.below(USERS);
  const name = `Here ${random.below(1000)}`;
  const done = await tried(
    rig.gateway.operations.addUser(user, { set: { name, groups: groups(random) }, clear: [] }),
  );
  if (done === 'done') belief.named(user, name);
  if (done === 'unsure') belief.unsure(user);
  return done === 'done' ? `gateway: user ${user} is added as ${name}` : undefined;
}

async function edit({ rig, random, belief }: Run): Promise<string | undefined> {
  const user = 1 + random.below(USERS);
  const name = `Here ${random.below(1000)}`;
  const done = await tried(rig.gateway.operations.editUser(user, { set: { name }, clear: [] }));
  if (done === 'done') belief.named(user, name);
  if (done === 'unsure') belief.forgetName(user);
  return done === 'done' ? `gateway: user ${user} is called ${name}` : undefined;
}

async function regroup({ rig, random }: Run): Promise<string | undefined> {
  const user = 1 + random.below(USERS);
  const wanted = groups(random);
  const done = await tried(rig.gateway.operations.editUser(user, { set: { groups: wanted }, clear: [] }));
  return done === 'done' ? `gateway: user ${user} has groups ${wanted.join(', ')}` : undefined;
}

async function remove({ rig, random, belief }: Run): Promise<string | undefined> {
  const user = 1 + random.below(USERS);
  const done = await tried(rig.gateway.operations.deleteUser(user));
  if (done === 'done') belief.deletedHere(user);
  if (done === 'unsure') belief.unsure(user);
  return done === 'done' ? `gateway: user ${user} is deleted` : undefined;
}

async function cable({ rig, random, belief }: Run): Promise<string> {
  const line = pick(random, [...rig.media.keys()]);
  const pulled = random.below(2) === 0;
  belief.faults += 1;
  await (pulled ? rig.unplug(line) : rig.plug(line));
  return `${line}: the cable is ${pulled ? 'pulled' : 'plugged in'}`;
}

function reboot(run: Run): string | undefined {
  const place = somewhere(run);
  place?.terminal.reboot();
  run.belief.faults += 1;
  return place === undefined ? undefined : `${place.name}: restarts`;
}

async function restart({ rig, belief }: Run): Promise<string> {
  belief.faults += 1;
  await rig.restartGateway();
  return 'gateway: restarts';
}

function noise({ rig, random, belief }: Run): string {
  const line = pick(random, [...rig.media.keys()]);
  const ms = random.below(3_000);
  belief.faults += 1;
  rig.media.get(line)?.noise(ms);
  return `${line}: ${ms} ms of noise`;
}

/** So many come that a short log is overwritten, if nobody reads it meanwhile. */
function crowd(run: Run): string | undefined {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  for (let tap = 0; tap < 60; tap += 1) place.terminal.tap({ user: 1 });
  return `${place.name}: 60 people come`;
}

function clearLog(run: Run): string | undefined {
  const place = somewhere(run);
  place?.terminal.clearLog();
  return place === undefined ? undefined : `${place.name}: the log is cleared`;
}

function clock(run: Run): string | undefined {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const hours = run.random.below(49) - 24;
  place.terminal.setClock(Math.max(0, place.terminal.shown + hours * 3_600_000));
  return `${place.name}: the clock is set by ${hours} h`;
}

async function idle({ rig, random }: Run): Promise<string> {
  const ms = random.below(60_000);
  await rig.pass(ms);
  return `${ms} ms pass`;
}

/** Any of the emulator's faults that end by themselves and leave nothing to be seen to by hand. */
const FAULTS_OF_LINES = Object.keys(LINE_FAULTS).filter((name) => name !== 'pulled');
const BY_HAND = [
  'memory-full',
  'slots-full',
  'wrong-format',
  'flash-fails',
  'twin',
  'wrong-address',
  'power-cut',
];
const FAULTS_OF_TERMINALS = Object.keys(TERMINAL_FAULTS).filter((name) => !BY_HAND.includes(name));

async function fault({ rig, random, belief }: Run): Promise<string> {
  const isLine = random.below(2) === 0;
  const on = pick(random, [...(isLine ? rig.media : rig.terminals).keys()]);
  const name = pick(random, isLine ? FAULTS_OF_LINES : FAULTS_OF_TERMINALS);
  const lasts = (isLine ? LINE_FAULTS : TERMINAL_FAULTS)[name]?.lasts === true;
  const forMs = 1 + random.below(20_000);
  belief.faults += 1;
  await rig.faults.begin(rig.target(on), { fault: name, given: {}, ...(lasts ? { forMs } : {}) });
  return `${on}: ${name}${lasts ? ` for ${forMs} ms` : ''}`;
}

/** Some operations on the disk later; whoever looks after the machine sees to it then. */
function losePower({ machine, random, belief }: Run): string | undefined {
  if (machine === undefined) return undefined;
  const operations = 1 + random.below(POWER_SPAN);
  belief.faults += 1;
  machine.disk.losePowerAfter(operations);
  return `gateway: power for ${operations} more operations on the disk`;
}

/** `unsure`: the power went, so that it may or may not have been done. */
async function tried(work: Promise<unknown>): Promise<'done' | 'refused' | 'unsure'> {
  try {
    await work;
    return 'done';
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code.startsWith('USER_')) return 'refused';
    if (code.startsWith('STORE_')) return 'unsure';
    throw error;
  }
}

/** A terminal that is on. */
function somewhere({ rig, random }: Run): Place | undefined {
  const name = pick(random, [...rig.terminals.keys()]);
  const terminal = rig.terminal(name);
  return terminal.power === 'on' ? { name, terminal } : undefined;
}

function someoneAt({ random }: Run, terminal: ReturnType<Rig['terminal']>): number | undefined {
  const users = [...terminal.users().keys()];
  return users.length === 0 ? undefined : pick(random, users);
}

function groups(random: Random): number[] {
  return pick(random, [[], [1], [2], [1, 2]]);
}

export function pick<T>(random: Random, some: readonly T[]): T {
  const one = some[random.below(some.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}
