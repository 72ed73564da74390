import type { Button, Display, Terminal } from '@whorl/device-emulator';
import type { Slice } from '@whorl/gateway/settings/task';
import { codeOf } from '@whorl/protocol';
import type { Rig } from '../rig/rig.ts';
import { isSyncing } from './carried.ts';
import type { Carried } from './carried.ts';
import { pick } from './chance.ts';
import type { Run } from './run.ts';
import { losePower, restart } from './deeds/troubles.ts';

// What people do with portable terminals, and what happens to them.

export const OPERATOR = { id: 5, name: 'Mira', pin: '4711' } as const;
const USERS = 6;
const FINGERS = 4;
const FILES = { 'plan.png': 3_000, 'hall.jpg': 9_000 } as const;
/** From the beginning of a sync to what breaks it off, milliseconds at most. */
const AMID_MS = [30, 150, 700] as const;
/** What a terminal is without battery, or out of its dock, when somebody puts it back at once, milliseconds at most. */
export const MOMENT_MS = 2_000;
/** Operations on the disk until the gateway's machine loses power, at most. */
const MOST_OPERATIONS = 60;

export interface Place {
  readonly name: string;
  readonly terminal: Terminal;
  readonly carried: Carried;
}

/** An operator, and two tasks with files, known at every portable terminal. */
export async function equip(rig: Rig, carried: ReadonlyMap<string, Carried>): Promise<void> {
  const { tasks } = rig.gateway;
  await tasks.saveOperator(OPERATOR.id, OPERATOR);
  for (const [name, size] of Object.entries(FILES))
    await tasks.saveFile({ name, kind: 'floor-plan', bytes: new Uint8Array(size).map((_, at) => at) });
  for (const groups of [[1], [1, 2]])
    await tasks.addTask({
      ...{ name: `Groups ${groups.join(' ')}`, files: ['plan.png'], operators: [] },
      ...{ slice: { who: { by: 'groups', groups }, without: [] }, terminals: [...carried.keys()] },
    });
  const isKnown = ({ tasks: listed, operators }: Display): boolean =>
    listed.length === 2 && operators.length === 1;
  await rig.until('every portable terminal to know its tasks', () =>
    [...carried.keys()].every((name) => isKnown(rig.terminal(name).display)),
  );
}

/** Somebody goes about with one, and enrols, edits and deletes. */
export function workThere(run: Run): string | undefined {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const told = [logIn(run, place)];
  const { random } = run;
  if (random.below(2) === 0) told.push(press(place, { button: 'mode', mode: 'offline' }));
  for (let more = random.below(4); more >= 0; more -= 1) told.push(change(run, place));
  if (random.below(2) === 0) told.push(logOut(place));
  return `${place.name}: ${told.filter((one) => one !== undefined).join('; ')}`;
}

export function logInAndOut(run: Run): string | undefined {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const told = [logIn(run, place), run.random.below(2) === 0 ? logOut(place) : undefined];
  return `${place.name}: ${told.filter((one) => one !== undefined).join('; ')}`;
}

/** In the dock there is voltage; a dock at the end of a line of its own is where the line ends. */
export async function dock(run: Run): Promise<string | undefined> {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const { name, terminal } = place;
  const docked = run.random.below(3) > 0;
  const line = run.rig.lineOf(name);
  const isAlone = run.rig.names.every((other) => other === name || run.rig.lineOf(other) !== line);
  run.belief.faults += 1;
  place.carried.maySync();
  const done = tried(() => terminal.setSupply(docked));
  if (isAlone) await (docked ? run.rig.plug(line) : run.rig.unplug(line));
  return `${name}: ${docked ? 'in the dock' : 'out of the dock'}: ${done}`;
}

export function choose(run: Run): string | undefined {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const { random } = run;
  const flip = (): boolean => random.below(2) === 0;
  const choice = pick<Button>(random, [
    { button: 'mode', mode: 'online' },
    { button: 'mode', mode: 'offline' },
    { button: 'options', automatic: random.below(4) > 0, data: flip(), files: flip() },
    { button: 'close' },
  ]);
  return `${place.name}: ${[logIn(run, place), press(place, choice)].join('; ')}`;
}

/** By hand. */
export function sync(run: Run): string | undefined {
  const place = somewhere(run);
  return place === undefined ? undefined : `${place.name}: ${syncAt(run, place)}`;
}

/** A sync by hand, and something that happens amid it. */
export async function breakOff(run: Run): Promise<string | undefined> {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const { rig, random, belief } = run;
  const told = [logIn(run, place)];
  for (let more = random.below(5); more > 0; more -= 1) told.push(change(run, place));
  told.push(syncAt(run, place));
  const ms = random.below(pick(random, AMID_MS));
  await rig.pass(ms);
  belief.faults += 1;
  told.push(`${ms} ms later`, await pick(random, AMID)(run, place));
  return `${place.name}: ${told.filter((one) => one !== undefined).join('; ')}`;
}

const AMID: readonly ((run: Run, place: Place) => Promise<string> | string)[] = [
  (_, place) => cancelThere(place),
  cancelHere,
  async ({ rig, random }, { name }) => {
    await rig.unplug(rig.lineOf(name));
    await rig.pass(random.below(MOMENT_MS));
    await rig.plug(rig.lineOf(name));
    return 'pulled out for a moment';
  },
  async ({ rig, random }, { terminal }) => {
    terminal.powerOff();
    await rig.pass(random.below(MOMENT_MS));
    terminal.powerOn();
    return 'the battery falls out';
  },
  async (run) => (await restart.perform(run, { do: 'restart' })) ?? 'nothing',
  async (run) => {
    const operations = 1 + run.random.below(MOST_OPERATIONS);
    return (await losePower.perform(run, { do: 'lose-power', operations })) ?? 'nothing';
  },
  async (run) => {
    await run.rig.pass(run.random.below(pick(run.random, AMID_MS)));
    return 'nothing';
  },
];

/** @returns whatever it did when that can be cancelled */
export async function cancel(run: Run): Promise<string | undefined> {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const told = run.random.below(2) === 0 ? cancelThere(place) : await cancelHere(run, place);
  return `${place.name}: ${told}`;
}

/** What a task brings, becomes something else. */
export async function retask({ rig, random }: Run): Promise<string | undefined> {
  const { tasks } = rig.gateway;
  const slice: Slice = {
    who: pick<Slice['who']>(random, [
      { by: 'groups', groups: [1] },
      { by: 'groups', groups: [2] },
      { by: 'groups', groups: [1, 2] },
      { by: 'users', users: [1, 2, 3] },
    ]),
    without: [],
  };
  const files = pick<(keyof typeof FILES)[]>(random, [[], ['plan.png'], ['plan.png', 'hall.jpg']]);
  const id = 1 + random.below(2);
  const done = await triedHere(tasks.changeTask(id, { slice, files }));
  return `gateway: task ${id} is ${JSON.stringify(slice.who)} with ${files.length} files: ${done}`;
}

/** Its own log is cleared, or its clock is wrong. */
export function confuse({ rig, random, ...run }: Run): string | undefined {
  const place = somewhere({ rig, random, ...run });
  if (place === undefined) return undefined;
  const { name, terminal } = place;
  if (random.below(2) === 0) return `${name}: the log is cleared: ${tried(() => terminal.clearLog())}`;
  const shown = Math.max(0, terminal.shown + (random.below(49) - 24) * 3_600_000);
  return `${name}: the clock is set: ${tried(() => terminal.setClock(shown))}`;
}

/** A portable terminal that is on. */
export function somewhere({
  rig,
  random,
  carried,
}: Pick<Run, 'rig' | 'random' | 'carried'>): Place | undefined {
  const name = pick(random, [...carried.keys()]);
  const [terminal, its] = [rig.terminal(name), carried.get(name)];
  return terminal.power === 'on' && its !== undefined ? { name, terminal, carried: its } : undefined;
}

/** Whoever forgot to log in, or to close a window, does. */
export function logIn(_: unknown, place: Place): string | undefined {
  const { terminal } = place;
  if (terminal.power !== 'on' || terminal.display.operator !== undefined || isSyncing(terminal))
    return undefined;
  const { id: operator, pin } = OPERATOR;
  return press(place, { button: 'log-in', operator, pin });
}

/** As often as somebody who was logged in logs out, it may sync by itself. */
export function logOut(place: Place): string {
  const { terminal, carried } = place;
  const wasIn = terminal.power === 'on' && terminal.display.operator !== undefined;
  carried.maySync();
  const told = press(place, { button: 'log-out' });
  if (wasIn) carried.cycles += 1;
  return told;
}

export function press({ terminal, carried }: Place, button: Button): string {
  carried.home = undefined;
  const { button: name, ...how } = button;
  const shown = name === 'log-in' ? '' : ` ${JSON.stringify(how)}`;
  return `${name}${shown}: ${tried(() => terminal.press(button))}`;
}

/** Presses it, and yes to whatever is asked, mostly. */
export function syncAt(run: Run, place: Place, mode?: 'synchronise' | 'send'): string {
  const { random, belief } = run;
  const { name, terminal } = place;
  const told = [logIn(run, place)];
  const wanted = mode ?? pick(random, ['synchronise', 'synchronise', 'send', 'download'] as const);
  const files = random.below(3) === 0 ? true : undefined;
  place.carried.maySync();
  told.push(press(place, { button: 'sync', mode: wanted, task: 1 + random.below(2), files }));
  for (let questions = 0; questions < 2 && terminal.power === 'on'; questions += 1) {
    const { window } = terminal.display;
    if (window?.kind !== 'offer-online' && window?.kind !== 'confirm-loss') break;
    if (window.kind === 'confirm-loss' && random.below(2) === 0) {
      told.push(press(place, { button: 'close' }));
      break;
    }
    if (window.kind === 'confirm-loss') belief.forgetsWaiting(name);
    told.push(press(place, { button: 'confirm' }));
  }
  return told.filter((one) => one !== undefined).join('; ');
}

/** What was downloaded so far is forgotten, and nothing else is otherwise than before. */
export function cancelThere(place: Place): string {
  const { name, terminal, carried } = place;
  if (!isSyncing(terminal)) return 'nothing to cancel';
  const held = (): string => [terminal.tableDigest, JSON.stringify(terminal.display.unsent)].join(' ');
  const before = held();
  const told = press(place, { button: 'cancel' });
  if (terminal.power === 'on' && held() !== before)
    carried.wrong.push(`${name}: cancelled, it is another one`);
  return told;
}

async function cancelHere({ rig }: Run, { name, carried }: Place): Promise<string> {
  carried.home = undefined;
  return `cancelled at the gateway: ${await triedHere(rig.gateway.tasks.cancel(name, 'ada'))}`;
}

export function change(run: Run, place: Place): string {
  const { random } = run;
  const user = 1 + random.below(USERS);
  place.carried.home = undefined;
  if (place.terminal.power !== 'on') return 'it is off';
  const what = random.below(8);
  if (what === 0) return removeThere(run, place, user);
  return what < 3 ? editThere(run, place, user) : enrolThere(run, place, user);
}

function enrolThere({ random, belief }: Run, { name, terminal, carried }: Place, user: number): string {
  const finger = random.below(FINGERS);
  const field = 0x40 + finger;
  // What belongs to somebody who was erased never comes back, whoever has not heard of it.
  const isErased = belief.goesErased(user, terminal.record(user) !== undefined);
  const done = tried(() => terminal.enrol({ user, finger }));
  if (done === 'unsure' || (isErased && done === 'done')) belief.unsureAt({ terminal: name, user, field });
  if (done === 'done') {
    const value = Buffer.from(terminal.record(user)?.fields.get(field) ?? []).toString('base64');
    belief.templates.add(value);
    if (!isErased) belief.waitsAt({ terminal: name, user, field, value });
  }
  if (done === 'done' || done === 'unsure') carried.changed(user);
  return `finger ${finger} of user ${user}: ${done}`;
}

function editThere({ random, belief }: Run, { name, terminal, carried }: Place, user: number): string {
  const called = `There ${random.below(1000)}`;
  const done = tried(() => terminal.edit({ user, set: { name: called } }));
  if (done === 'done' || done === 'unsure') {
    belief.unsureAt({ terminal: name, user });
    carried.changed(user);
  }
  return `user ${user} is called ${called}: ${done}`;
}

/** Deletions there are refused: the next download brings the user back, without what was not sent. */
function removeThere({ belief }: Run, { name, terminal, carried }: Place, user: number): string {
  const done = tried(() => terminal.remove(user));
  if (done === 'done' || done === 'unsure') {
    belief.unsureAt({ terminal: name, user });
    belief.forgetsWaiting(name, user);
    carried.changed(user);
  }
  return `user ${user} is deleted: ${done}`;
}

/** `unsure`: the terminal lost power meanwhile. Else why not. */
export function tried(work: () => unknown): string {
  try {
    work();
    return 'done';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'TERMINAL_OFF') return 'unsure';
    if (code?.startsWith('TERMINAL_') === true || code === 'FLASH_FAILED') return code;
    throw error;
  }
}

async function triedHere(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code.startsWith('STORE_') || code.startsWith('SYNC_')) return code;
    throw error;
  }
}
