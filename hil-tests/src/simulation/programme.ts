import { hash } from 'node:crypto';
import { seededRandom } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { contentsOf, readingAll } from '../powerloss/contents.ts';
import { SimulatedMachine } from '../powerloss/machine.ts';
import { memoryRig } from '../rig/memory.ts';
import { Archive } from './archive.ts';
import { Belief } from './belief.ts';
import { Broadcasts } from './broadcasts.ts';
import { carriedOn, unsentAt } from './carried.ts';
import { comeHome } from './homecoming.ts';
import { perform } from './deeds/table.ts';
import type { Deed } from './deeds/table.ts';
import { checkInvariants, checkRemains, countSoFar } from './invariants.ts';
import { SITES } from './plan.ts';
import type { Programme, Round, Step } from './plan.ts';
import { Northbound } from './northbound.ts';
import { equip } from './portables.ts';
import { comeToRest } from './rest.ts';
import type { FlashCopy, Played } from './run.ts';
import type { Script } from './script.ts';
import { NOTICED_MS, seeToAll } from './troubles.ts';

/** How old sessions and keys for broadcasts become where they are renewed often. */
const RENEWAL_MS = 7_000;

export interface ProgrammeResult {
  /** How long it took at the site, times its terminals, milliseconds. */
  readonly deviceMs: number;
  /** Of all that was done and all that is held in the end, here and at the terminals. */
  readonly hash: string;
}

/** Something was not as it must be. */
export class ProgrammeError extends Error {
  readonly #script: Script;

  constructor(message: string, script: Script, options: ErrorOptions) {
    super(message, options);
    this.#script = script;
  }

  /** What was done until then. */
  get script(): Script {
    return this.#script;
  }
}

/**
 * Lets people and faults loose on a site in virtual time, a few at a time, and looks after each time, at rest, whether
 * everything is as it must be. Repeatable from its seed.
 * @throws ProgrammeError naming what is not, with all that was done
 */
export async function runProgramme({ seed, site, backups, rounds }: Programme): Promise<ProgrammeResult> {
  const archive = backups === true ? new Archive() : undefined;
  // SQLite in WebAssembly takes its time: not every gateway's machine loses power.
  const machine = seed % 2 === 0 && archive === undefined ? new SimulatedMachine({ seed }) : undefined;
  let north: Northbound | undefined;
  // What was said before a backup was brought back is not stored any more.
  const beside =
    hasBroker(seed) && archive === undefined
      ? (clock: Clock) => (north = new Northbound({ clock, seed }))
      : undefined;
  const broadcasts = new Broadcasts();
  const plan = { ...SITES[site], seed, ...(renewsOften(seed) ? { renewalMs: RENEWAL_MS } : {}) };
  const rig = await memoryRig(plan, {
    ...{ machine, beside, data: archive?.data },
    tellKeys: (keys) => broadcasts.readable(keys),
    said: (line, bytes) => broadcasts.said(line, bytes),
  });
  const played: Played = {
    ...{ rig, belief: new Belief(), machine, north, broadcasts, trace: [] },
    archive,
    carried: carriedOn(rig),
    ...{ copies: new Map<string, FlashCopy>(), strikes: new Set<() => void>() },
  };
  const script: Script = { seed, site, ...(backups === true ? { backups } : {}), rounds: [] };
  try {
    await comeToRest(rig, north);
    if (played.carried.size > 0) await equip(rig, played.carried);
    for (const round of rounds) await playRound(played, round, script);
    checkRemains(played);
    return { deviceMs: rig.clock.now() * rig.terminals.size, hash: hashOf(played) };
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new ProgrammeError(`seed ${seed}: ${text}\n  ${played.trace.join('\n  ')}`, script, { cause });
  } finally {
    await rig.close();
    archive?.remove();
  }
}

/** Keys are renewed amid everything else; a day, as in life, is longer than most programmes. */
function renewsOften(seed: number): boolean {
  return seed % 3 === 2;
}

function hasBroker(seed: number): boolean {
  return Math.floor(seed / 2) % 2 === 0;
}

async function playRound(played: Played, { begins, steps, home }: Round, script: Script): Promise<void> {
  const { rig, belief, trace } = played;
  trace.push('a new round');
  const done: Script['rounds'][number] = { begins: [], deeds: [], home };
  script.rounds.push(done);
  belief.faults = 0;
  await playStep(played, begins, done.begins);
  if (belief.faults > 0) await rig.pass(NOTICED_MS);
  await checkInvariants(played, undefined);
  const before = await countSoFar(rig);
  belief.changesThere = 0;
  belief.faults = 0;
  belief.refusing = 0;
  belief.again = 0;
  for (const name of played.carried.keys()) belief.mayCome(name, unsentAt(rig.terminal(name)));
  for (const step of steps) await playStep(played, step, done.deeds);
  await seeToAll(played);
  await comeHome({ ...played, random: seededRandom(home) });
  await sayAgain(played);
  await checkInvariants(played, played.archive?.wentBack === true ? undefined : before);
  if (played.archive !== undefined) played.archive.wentBack = false;
}

async function playStep(played: Played, { action, seed, passesMs }: Step, done: Deed[]): Promise<void> {
  const next = (deed: Deed): Promise<string | undefined> => {
    done.push(deed);
    return perform(played, deed);
  };
  for (const deed of action({ ...played, random: seededRandom(seed) })) {
    const told = await next(deed);
    if (told !== undefined) played.trace.push(told);
  }
  if (passesMs !== undefined) await next({ do: 'pass', ms: passesMs });
}

/** Somebody looks at the ledger when all is well again, and says once more what a terminal had refused for good. */
async function sayAgain({ rig, belief, north, trace }: Played): Promise<void> {
  await comeToRest(rig, north);
  const again = await rig.gateway.operations.retry({ state: 'failed' });
  belief.again += again;
  if (again > 0) trace.push(`gateway: ${again} users are tried again`);
}

function hashOf({ rig, archive, trace }: Played): string {
  const tables = [...rig.terminals.values()].map(({ tableDigest }) => tableDigest);
  // What a restore seals anew is sealed with the machine's own random numbers.
  const held = archive === undefined ? contentsOf(rig.database.prepare(readingAll(rig.database))) : '';
  return hash('sha256', [rig.clock.now(), ...tables, held, ...trace].join('\n'));
}
