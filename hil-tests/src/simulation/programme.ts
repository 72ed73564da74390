import { hash } from 'node:crypto';
import { seededRandom } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { contentsOf, readingAll } from '../powerloss/contents.ts';
import { SimulatedMachine } from '../powerloss/machine.ts';
import { memoryRig } from '../rig/memory.ts';
import { Belief } from './belief.ts';
import { carriedOn, unsentAt } from './carried.ts';
import { comeHome } from './homecoming.ts';
import { checkInvariants, checkRemains, countSoFar } from './invariants.ts';
import { SITES } from './plan.ts';
import type { Programme, Round } from './plan.ts';
import { Northbound } from './northbound.ts';
import { changeScope, decideSomething } from './policy.ts';
import { equip } from './portables.ts';
import { comeToRest } from './rest.ts';
import type { FlashCopy, Run } from './run.ts';
import { putBack, seeToAll } from './troubles.ts';

export interface ProgrammeResult {
  /** How long it took at the site, times its terminals, milliseconds. */
  readonly deviceMs: number;
  /** Of all that was done and all that is held in the end, here and at the terminals. */
  readonly hash: string;
}

/**
 * Lets people and faults loose on a site in virtual time, a few at a time, and looks after each time, at rest, whether
 * everything is as it must be. Repeatable from its seed.
 * @throws Error naming what is not, with all that was done
 */
export async function runProgramme({ seed, site, rounds }: Programme): Promise<ProgrammeResult> {
  // SQLite in WebAssembly takes its time: not every gateway's machine loses power.
  const machine = seed % 2 === 0 ? new SimulatedMachine({ seed }) : undefined;
  let north: Northbound | undefined;
  const beside = hasBroker(seed) ? (clock: Clock) => (north = new Northbound({ clock, seed })) : undefined;
  const rig = await memoryRig({ ...SITES[site], seed }, { machine, beside });
  const run = {
    ...{ rig, belief: new Belief(), machine, north, trace: [] },
    carried: carriedOn(rig),
    ...{ copies: new Map<string, FlashCopy>(), strikes: new Set<() => void>() },
  };
  try {
    await comeToRest(rig, north);
    if (run.carried.size > 0) await equip(rig, run.carried);
    for (const round of rounds) await playRound(run, round);
    checkRemains(run);
    return { deviceMs: rig.clock.now() * rig.terminals.size, hash: hashOf(run) };
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`seed ${seed}: ${text}\n  ${run.trace.join('\n  ')}`, { cause });
  } finally {
    await rig.close();
  }
}

function hasBroker(seed: number): boolean {
  return Math.floor(seed / 2) % 2 === 0;
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
  for (const name of run.carried.keys()) belief.mayCome(name, unsentAt(rig.terminal(name)));
  // What happens while nobody looks after the terminals is to be noticed when somebody does again.
  const { autoSync } = await rig.gateway.operations.settings();
  const old = autoSync === 'off' ? putBack(run) : undefined;
  if (old !== undefined) trace.push(old);
  for (const { action, seed, passesMs } of round.steps) {
    const told = await action({ ...run, random: seededRandom(seed) });
    if (told !== undefined) trace.push(told);
    await rig.pass(passesMs);
    await seeToMachine(run);
  }
  await seeToAll(run);
  await comeHome(run);
  await sayAgain(run);
  await checkInvariants(run, before);
}

async function seeToMachine({ rig, machine, trace }: Run): Promise<void> {
  if (machine?.disk.lost !== true) return;
  trace.push('gateway: the power goes, and comes back');
  await rig.losePower();
}

/** Somebody looks at the ledger when all is well again, and says once more what a terminal had refused for good. */
async function sayAgain({ rig, north, trace }: Run): Promise<void> {
  await comeToRest(rig, north);
  const again = await rig.gateway.operations.retry({ state: 'failed' });
  if (again > 0) trace.push(`gateway: ${again} users are tried again`);
}

function hashOf({ rig, trace }: Omit<Run, 'random'>): string {
  const tables = [...rig.terminals.values()].map(({ tableDigest }) => tableDigest);
  const held = contentsOf(rig.database.prepare(readingAll(rig.database)));
  return hash('sha256', [rig.clock.now(), ...tables, held, ...trace].join('\n'));
}
