import { codeOf } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import type { Rig } from '../rig/rig.ts';
import { pick } from './chance.ts';
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
  putBack,
  reboot,
  refuse,
  relapse,
  restart,
  strike,
} from './troubles.ts';

const USERS = 6;
const FINGERS = 4;
const CROWD = 60;
const FIRST_ASKED = 1_000;

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
  [6, disk],
  [2, copyFlash],
  [2, putBack],
  [2, (run) => relapse(run, edit)],
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

/** Somebody comes who is to go where there is no room. */
async function squeeze(run: Run): Promise<string | undefined> {
  const refused = await refuse(run);
  const enrolled = await enrol(run);
  await run.rig.pass(run.random.below(3_000));
  return [refused, enrolled].filter((one) => one !== undefined).join('; ');
}

function enrolOne(run: Run, { name, terminal }: Place, user: number): string {
  const { cards, fingers } = terminal.model.capabilities;
  const cardOnly = fingers === 0;
  const slot = run.random.below(cardOnly ? cards : FINGERS);
  const field = cardOnly ? 0x10 + slot : 0x40 + slot;
  const what = `${cardOnly ? 'card' : 'finger'} ${slot} of user ${user}`;
  const done = there(() => terminal.enrol(cardOnly ? { user, card: slot } : { user, finger: slot }));
  if (done === 'unsure') run.belief.unsureAt({ terminal: name, user, field });
  if (done !== 'done') return `${name}: ${what} is not enrolled: ${done}`;
  const value = Buffer.from(terminal.record(user)?.fields.get(field) ?? []).toString('base64');
  if (!cardOnly) run.belief.templates.add(value);
  run.belief.enrolledAt({ terminal: name, user, field, value });
  return `${name}: ${what} is enrolled`;
}

function editName(run: Run): string | undefined {
  const place = somewhere(run);
  const user = place === undefined ? undefined : someoneAt(run, place.terminal);
  if (place === undefined || user === undefined) return undefined;
  const name = `There ${run.random.below(1000)}`;
  const done = there(() => place.terminal.edit({ user, set: { name } }));
  if (done === 'done') run.belief.editedAt(place.name, user);
  if (done === 'unsure') run.belief.unsureAt({ terminal: place.name, user });
  return `${place.name}: user ${user} is called ${name}: ${done}`;
}

function removeThere(run: Run): string | undefined {
  const place = somewhere(run);
  const user = place === undefined ? undefined : someoneAt(run, place.terminal);
  if (place === undefined || user === undefined) return undefined;
  const done = there(() => place.terminal.remove(user));
  if (done !== 'refused') run.belief.removedAt(place.name, user);
  if (done === 'unsure') run.belief.unsureAt({ terminal: place.name, user });
  return `${place.name}: user ${user} is deleted there: ${done}`;
}

async function add({ rig, random, belief }: Run): Promise<string | undefined> {
  const user = 1 + random.below(USERS);
  const name = newName(random);
  const done = await tried(
    rig.gateway.operations.addUser(user, { set: { name, groups: groups(random) }, clear: [] }),
  );
  if (done === 'done') belief.named(user, name);
  if (done === 'unsure') belief.unsure(user);
  return done === 'done' ? `gateway: user ${user} is added as ${name}` : undefined;
}

async function edit({ rig, random, belief }: Run): Promise<string | undefined> {
  const user = 1 + random.below(USERS);
  const name = newName(random);
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

/** Somebody asks to be forgotten. */
async function erase({ rig, random, belief, machine }: Run): Promise<string | undefined> {
  const user = 1 + random.below(USERS);
  const isWorking = machine?.disk.refuses === undefined;
  const done = await tried(rig.gateway.operations.eraseUser(user));
  if (done === 'done') belief.erasedHere(user, isWorking);
  if (done === 'unsure') belief.unsure(user);
  return done === 'done' ? `gateway: user ${user} is erased` : undefined;
}

/** So many come that a short log is overwritten, if nobody reads it meanwhile. */
function crowd(run: Run): string | undefined {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  let come = 0;
  while (come < CROWD && there(() => place.terminal.tap({ user: 1 })) === 'done') come += 1;
  return `${place.name}: ${come} people come`;
}

function clearLog(run: Run): string | undefined {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  return `${place.name}: the log is cleared: ${there(() => place.terminal.clearLog())}`;
}

function clock(run: Run): string | undefined {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const hours = run.random.below(49) - 24;
  const shown = Math.max(0, place.terminal.shown + hours * 3_600_000);
  return `${place.name}: the clock is set by ${hours} h: ${there(() => place.terminal.setClock(shown))}`;
}

async function idle({ rig, random }: Run): Promise<string> {
  const ms = random.below(60_000);
  await rig.pass(ms);
  return `${ms} ms pass`;
}

/** Settings that change what becomes of things, not what must be true of them. */
async function adjust({ rig, random }: Run): Promise<string | undefined> {
  const wanted = pick(random, [
    { restoreDeleted: random.below(2) === 0 },
    { hold: random.below(2) === 0 },
    { guardUsers: random.below(100), guardPercent: random.below(101) },
  ]);
  const done = await tried(rig.gateway.operations.changeSettings(wanted));
  return done === 'done' ? `gateway: ${JSON.stringify(wanted)}` : undefined;
}

/** A program at the broker changes a setting to what nobody else does; some do not wait before they ask again. */
function ask({ north, random }: Run): string | undefined {
  if (north === undefined) return undefined;
  const value = FIRST_ASKED + north.asked.length;
  const againMs = random.below(2) === 0 ? random.below(200) : undefined;
  return `broker: ${north.ask(value, againMs)} asks for guardUsers ${value}`;
}

/** `unsure`: the terminal lost power meanwhile. */
function there(work: () => unknown): 'done' | 'refused' | 'unsure' {
  try {
    work();
    return 'done';
  } catch (error) {
    if (codeOf(error) === 'TERMINAL_OFF') return 'unsure';
    if (codeOf(error) === 'FLASH_FAILED') return 'refused';
    throw error;
  }
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

/** A terminal that is on, and on a wall: with those that are carried about, people work otherwise. */
function somewhere({ rig, random, carried }: Run): Place | undefined {
  const name = pick(
    random,
    [...rig.terminals.keys()].filter((one) => !carried.has(one)),
  );
  const terminal = rig.terminal(name);
  return terminal.power === 'on' ? { name, terminal } : undefined;
}

function someoneAt({ random }: Run, terminal: ReturnType<Rig['terminal']>): number | undefined {
  const users = [...terminal.users().keys()];
  return users.length === 0 ? undefined : pick(random, users);
}

/** Of nobody else, so that it can be looked for. */
function newName(random: Random): string {
  return `Here ${random.below(1_000_000_000)}`;
}

function groups(random: Random): number[] {
  return pick(random, [[], [1], [2], [1, 2]]);
}
