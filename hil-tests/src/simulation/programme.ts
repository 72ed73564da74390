import { hash } from 'node:crypto';
import { seededRandom } from '@whorl/protocol';
import { contentsOf, readingAll } from '../powerloss/contents.ts';
import { SimulatedMachine } from '../powerloss/machine.ts';
import { memoryRig } from '../rig/memory.ts';
import type { RigPlan } from '../rig/rig.ts';
import { ACTIONS } from './actions.ts';
import type { Action } from './actions.ts';
import { Belief } from './belief.ts';
import { checkInvariants, countSoFar } from './invariants.ts';
import { changeScope, decideSomething } from './policy.ts';
import { comeToRest } from './rest.ts';
import type { FlashCopy, Run } from './run.ts';
import { seeToAll } from './troubles.ts';

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
const TERMINALS = Object.values(SITE.lines).flat().length;
const MOST_ACTIONS = 6;
const WEIGHTED = ACTIONS.flatMap(([times, action]) => Array.from({ length: times }, () => action));

/** One thing that is done, with a chance of its own: without it, the others do the same. */
interface Step {
  readonly action: Action;
  readonly seed: number;
  /** What passes afterwards, milliseconds. */
  readonly passesMs: number;
}

/** What is done between two moments of rest. */
interface Round {
  /** Of what people decide at its beginning. */
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** Everything that is done at a site. */
export interface Programme {
  readonly seed: number;
  readonly rounds: readonly Round[];
}

export interface ProgrammeResult {
  /** How long it took at the site, times its terminals, milliseconds. */
  readonly deviceMs: number;
  /** Of all that was done and all that is held in the end, here and at the terminals. */
  readonly hash: string;
}

export function programmeOf(seed: number, rounds: number): Programme {
  const random = seededRandom(seed);
  const any = (): number => random.below(2 ** 32);
  const step = (): Step => ({
    action: WEIGHTED[random.below(WEIGHTED.length)] ?? (() => undefined),
    seed: any(),
    passesMs: random.below(3) === 0 ? random.below(4_000) : random.below(50),
  });
  const round = (): Round => ({
    seed: any(),
    steps: Array.from({ length: 1 + random.below(MOST_ACTIONS) }, step),
  });
  return { seed, rounds: Array.from({ length: rounds }, round) };
}

/**
 * Lets people and faults loose on a site in virtual time, a few at a time, and looks after each time, at rest, whether
 * everything is as it must be. Repeatable from its seed.
 * @throws Error naming what is not, with all that was done
 */
export async function runProgramme({ seed, rounds }: Programme): Promise<ProgrammeResult> {
  // SQLite in WebAssembly takes its time: not every gateway's machine loses power.
  const machine = seed % 2 === 0 ? new SimulatedMachine({ seed }) : undefined;
  const rig = await memoryRig({ ...SITE, seed }, { machine });
  const run = {
    ...{ rig, belief: new Belief(), machine, trace: [] },
    ...{ copies: new Map<string, FlashCopy>(), strikes: new Set<() => void>() },
  };
  try {
    await comeToRest(rig);
    for (const round of rounds) await playRound(run, round);
    return { deviceMs: rig.clock.now() * TERMINALS, hash: hashOf(run) };
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`seed ${seed}: ${text}\n  ${run.trace.join('\n  ')}`, { cause });
  } finally {
    await rig.close();
  }
}

async function playRound(played: Omit<Run, 'random'>, round: Round): Promise<void> {
  const run: Run = { ...played, random: seededRandom(round.seed) };
  const { rig, belief, trace } = run;
  trace.push('a new round');
  await decideSomething(run);
  await changeScope(run);
  await checkInvariants(run, undefined);
  const before = await countSoFar(rig);
  belief.changesThere = 0;
  belief.faults = 0;
  for (const { action, seed, passesMs } of round.steps) {
    const told = await action({ ...run, random: seededRandom(seed) });
    if (told !== undefined) trace.push(told);
    await rig.pass(passesMs);
    await seeToMachine(run);
  }
  await seeToAll(run);
  await sayAgain(run);
  await checkInvariants(run, before);
}

async function seeToMachine({ rig, machine, trace }: Run): Promise<void> {
  if (machine?.disk.lost !== true) return;
  trace.push('gateway: the power goes, and comes back');
  await rig.losePower();
}

/** Somebody looks at the ledger when all is well again, and says once more what a terminal had refused for good. */
async function sayAgain({ rig, trace }: Run): Promise<void> {
  await comeToRest(rig);
  const again = await rig.gateway.operations.retry({ state: 'failed' });
  if (again > 0) trace.push(`gateway: ${again} users are tried again`);
}

function hashOf({ rig, trace }: Omit<Run, 'random'>): string {
  const tables = [...rig.terminals.values()].map(({ tableDigest }) => tableDigest);
  const held = contentsOf(rig.database.prepare(readingAll(rig.database)));
  return hash('sha256', [rig.clock.now(), ...tables, held, ...trace].join('\n'));
}
