import { seededRandom, WhorlError } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { memoryRig } from '../rig/memory.ts';
import type { Rig, RigPlan } from '../rig/rig.ts';
import { Belief } from './belief.ts';
import type { Run } from './run.ts';
import { checkQuiet, comeToRest, countSoFar } from './quiet.ts';

const SITE: RigPlan = {
  lines: {
    floor: [
      { name: 'terminal-1', groups: [1] },
      { name: 'terminal-2', groups: [1, 2] },
      { name: 'terminal-3', groups: [2], logs: 40 },
    ],
    lab: [{ name: 'terminal-4', groups: [1] }],
    gate: [{ name: 'terminal-5', groups: [2], model: 'card-500' }],
  },
};
const USERS = 6;
const FINGERS = 4;
const MOST_ACTIONS = 6;
const SCOPES = ['all-with-device-updates', 'all-with-device-updates', 'access-groups', 'all', 'off'] as const;
const POLICIES = ['fill-vacant', 'fill-vacant', 'terminal-wins', 'newest-wins'] as const;

/** Something that people or the world do; answers what it was, or nothing when it does not apply. */
type Action = (run: Run) => Promise<string | undefined> | string | undefined;

/**
 * Lets people and faults loose on a site in virtual time, a few at a time, and looks after each time, at rest, whether
 * everything is as it must be. Repeatable from its seed.
 * @throws Error naming what is not, with seed and all that was done
 */
export async function runProgramme(seed: number, rounds: number): Promise<void> {
  const rig = await memoryRig({ ...SITE, seed });
  const run: Run = { rig, random: seededRandom(seed), belief: new Belief(), trace: [] };
  try {
    await comeToRest(rig);
    for (let round = 0; round < rounds; round += 1) await playRound(run);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`seed ${seed}: ${text}\n  ${run.trace.join('\n  ')}`, { cause });
  } finally {
    await rig.close();
  }
}

async function playRound(run: Run): Promise<void> {
  const { rig, random, belief, trace } = run;
  trace.push('a new round');
  await decideSomething(run);
  await changeScope(run);
  await checkQuiet(run, undefined);
  const before = await countSoFar(rig);
  belief.changesThere = 0;
  belief.faults = 0;
  const actions = 1 + random.below(MOST_ACTIONS);
  for (let index = 0; index < actions; index += 1) {
    const told = await pick(random, ACTIONS)(run);
    if (told !== undefined) trace.push(told);
    await rig.pass(random.below(3) === 0 ? random.below(4_000) : random.below(50));
  }
  for (const line of Object.keys(SITE.lines)) await rig.plug(line);
  for (const terminal of rig.terminals.values()) terminal.powerOn();
  await checkQuiet(run, before);
}

const ACTIONS: readonly Action[] = [
  enrol,
  enrol,
  enrol,
  editName,
  removeThere,
  add,
  edit,
  edit,
  regroup,
  remove,
  cable,
  reboot,
  restart,
  noise,
  crowd,
  clearLog,
  clock,
  idle,
];

function enrol(run: Run): string | undefined {
  const terminal = somewhere(run);
  if (terminal === undefined) return undefined;
  const user = 1 + run.random.below(USERS);
  const { cards, fingers } = terminal.terminal.model.capabilities;
  const cardOnly = fingers === 0;
  const slot = run.random.below(cardOnly ? cards : FINGERS);
  const field = cardOnly ? 0x10 + slot : 0x40 + slot;
  terminal.terminal.enrol(cardOnly ? { user, card: slot } : { user, finger: slot });
  const value = Buffer.from(terminal.terminal.record(user)?.fields.get(field) ?? []).toString('base64');
  run.belief.enrolledAt({ terminal: terminal.name, user, field, value });
  return `${terminal.name}: ${cardOnly ? 'card' : 'finger'} ${slot} of user ${user} is enrolled`;
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
  if (done) belief.named(user, name);
  return done ? `gateway: user ${user} is added as ${name}` : undefined;
}

async function edit({ rig, random, belief }: Run): Promise<string | undefined> {
  const user = 1 + random.below(USERS);
  const name = `Here ${random.below(1000)}`;
  const done = await tried(rig.gateway.operations.editUser(user, { set: { name }, clear: [] }));
  if (done) belief.named(user, name);
  return done ? `gateway: user ${user} is called ${name}` : undefined;
}

async function regroup({ rig, random }: Run): Promise<string | undefined> {
  const user = 1 + random.below(USERS);
  const wanted = groups(random);
  const done = await tried(rig.gateway.operations.editUser(user, { set: { groups: wanted }, clear: [] }));
  return done ? `gateway: user ${user} has groups ${wanted.join(', ')}` : undefined;
}

async function remove({ rig, random, belief }: Run): Promise<string | undefined> {
  const user = 1 + random.below(USERS);
  const done = await tried(rig.gateway.operations.deleteUser(user));
  if (done) belief.deletedHere(user);
  return done ? `gateway: user ${user} is deleted` : undefined;
}

async function cable({ rig, random, belief }: Run): Promise<string> {
  const line = pick(random, Object.keys(SITE.lines));
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
  const line = pick(random, Object.keys(SITE.lines));
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

/** Between rounds, so that it is known under which one people's changes fall. */
async function changeScope(run: Run): Promise<void> {
  const { rig, random, belief, trace } = run;
  if (random.below(3) > 0) return;
  await comeToRest(rig);
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

async function decideSomething({ rig, random, belief, trace }: Run): Promise<void> {
  if (random.below(3) > 0) return;
  const take = pick(random, ['ours', 'theirs'] as const);
  const decided = await rig.gateway.operations.decideConflicts({}, take);
  if (decided === 0) return;
  trace.push(`gateway: ${decided} conflicts are decided for ${take}`);
  belief.decided();
}

async function tried(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof WhorlError && error.code.startsWith('USER_')) return false;
    throw error;
  }
}

/** A terminal that is on. */
function somewhere({
  rig,
  random,
}: Run): { name: string; terminal: ReturnType<Rig['terminal']> } | undefined {
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

function pick<T>(random: Random, some: readonly T[]): T {
  const one = some[random.below(some.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}
