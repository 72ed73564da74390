import { hash } from 'node:crypto';
import { seededRandom, writeRecord } from '@whorl/protocol';
import { shrunkBy } from '../shrink.ts';
import { Company } from './company.ts';
import { checkInvariants } from './invariants.ts';
import * as people from './people.ts';
import { regret } from './regret.ts';
import { seeTo } from './rest.ts';
import type { Deed, Run } from './run.ts';
import { tryGuard } from './trials.ts';
import * as troubles from './troubles.ts';
import { Truth } from './truth.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How often each is done: what hurts more often than in life. */
const DEEDS: readonly (readonly [times: number, deed: Deed])[] = [
  [24, people.enrol],
  [6, people.comeIn],
  [10, people.add],
  [8, people.rename],
  [6, people.regroup],
  [5, people.remove],
  [1, people.rescope],
  [4, troubles.cutLink],
  [2, troubles.weather],
  [1, troubles.brokerRestart],
  [4, troubles.killSite],
  [2, troubles.killMaster],
  [2, troubles.restartOne],
  [4, troubles.syncNow],
  [2, troubles.backUp],
  [1, troubles.restoreSite],
  [1, troubles.restoreMaster],
  [3, regret],
  [1, troubles.loseDisk],
  [1, troubles.clone],
];
/** How often the power goes where a machine can lose it. */
const POWER_LOSSES = 10;
const WEIGHTED = DEEDS.flatMap(([times, deed]) => Array.from({ length: times }, () => deed));
const POWERED = [...WEIGHTED, ...Array.from({ length: POWER_LOSSES }, () => troubles.losePower)];

export interface CompanyProgramme {
  readonly seed: number;
  readonly satellites: number;
  readonly halls: number;
  readonly powered?: number | undefined;
  readonly users: number;
  /** Between two moments of rest. */
  readonly rounds: readonly (readonly CompanyStep[])[];
}

/** One thing that is done, with a chance of its own: without it, the others do the same. */
export interface CompanyStep {
  readonly deed: Deed;
  readonly seed: number;
  /** What passes afterwards, milliseconds. */
  readonly passesMs: number;
}

export interface CompanyResult {
  /** Of all that was done and all that everybody holds in the end. */
  readonly hash: string;
  /** Virtual time times sites, milliseconds. */
  readonly siteMs: number;
  readonly messages: number;
}

export interface CompanySize extends Pick<CompanyProgramme, 'satellites' | 'halls' | 'powered' | 'users'> {
  readonly days: number;
  readonly rounds: number;
  readonly stepsADay: number;
}

export function companyProgramme(seed: number, size: CompanySize): CompanyProgramme {
  const random = seededRandom(seed);
  const { satellites, halls, powered, users, days, rounds, stepsADay } = size;
  const deeds = powered === undefined ? WEIGHTED : POWERED;
  const mean = DAY_MS / stepsADay;
  const step = (): CompanyStep => ({
    deed: deeds[random.below(deeds.length)] ?? people.enrol,
    seed: random.below(2 ** 32),
    // Much of it comes close together, amid exchanges.
    passesMs: random.below(3) === 0 ? random.below(2 * 3 * mean) : random.below(2_000),
  });
  const steps = Math.max(1, Math.round((days * stepsADay) / rounds));
  return {
    ...{ seed, satellites, halls, powered, users },
    rounds: Array.from({ length: rounds }, () => Array.from({ length: steps }, step)),
  };
}

/**
 * Lets people and the world loose on a company, and looks at each moment of rest whether everything is as it must be.
 * Repeatable from its seed.
 * @throws Error naming what is not, with all that was done
 */
export async function runCompany(programme: CompanyProgramme): Promise<CompanyResult> {
  const { seed, satellites, halls, powered, users, rounds } = programme;
  const company = await Company.open({
    ...{ seed, satellites, halls, powered, embedded: seed % 2 === 0 },
    groupsOf: (index) => (index % 2 === 0 ? undefined : [1 + (index % 3)]),
  });
  const run: Omit<Run, 'random'> = {
    ...{ company, truth: new Truth(), users, trace: [], count: { credentials: 0, backups: 0 } },
    ...{ down: new Map(), cut: new Map(), backups: new Map(), moved: new Map() },
  };
  try {
    await scheduled(company);
    for (const [index, round] of rounds.entries()) {
      await playRound(run, round);
      await tryGuard({ ...run, random: seededRandom(seed + index) });
    }
    const hashed = await hashOf(run);
    return { hash: hashed, siteMs: company.clock.now() * satellites, messages: company.bus.messages };
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`seed ${seed}: ${text}\n  ${run.trace.join('\n  ')}`, { cause });
  } finally {
    await company.close();
  }
}

/** A few sync as changes happen, the others by the hour. */
async function scheduled(company: Company): Promise<void> {
  const { satellites } = company;
  for (const [index, site] of satellites.entries()) {
    const continuous = index % 8 === 0;
    const intervalMinutes = continuous ? 60 : 60 * (1 + (index % 4));
    await company.passing(site.now.service.operations.changeSettings({ continuous, intervalMinutes }));
  }
}

async function playRound(played: Omit<Run, 'random'>, steps: readonly CompanyStep[]): Promise<void> {
  const { company, trace } = played;
  for (const { deed, seed, passesMs } of steps) {
    const run: Run = { ...played, random: seededRandom(seed) };
    await seeTo(run);
    const told = await deed(run);
    if (told !== undefined) trace.push(`${(company.clock.now() / HOUR_MS).toFixed(2)} ${told}`);
    await company.pass(passesMs);
  }
  trace.push('rest');
  await checkInvariants({ ...played, random: seededRandom(1) });
}

async function hashOf({ company, trace }: Omit<Run, 'random'>): Promise<string> {
  const all = [...trace, String(company.clock.now()), String(company.bus.bytes)];
  for (const { name, now } of [company.master, ...company.satellites])
    for (const { id, version } of await now.store.users({ limit: 100_000 })) {
      const user = await now.store.user(id);
      const record = user === undefined ? '' : Buffer.from(writeRecord(user.record)).toString('base64');
      all.push(`${name} ${id} ${version} ${record} ${JSON.stringify([...(user?.provenance ?? [])])}`);
    }
  return hash('sha256', all.join('\n'));
}

/** @returns the error of the shortest programme that still fails */
export function shrunkCompany(programme: CompanyProgramme, error: Error): Promise<Error> {
  return shrunkBy(programme, error, {
    sizeOf: ({ rounds }) => rounds.flat().length,
    without: (whole, from, to) => {
      const first = whole.rounds.map((_, index) => whole.rounds.slice(0, index).flat().length);
      const rounds = whole.rounds.map((steps, index) =>
        steps.filter((_, at) => (first[index] ?? 0) + at < from || (first[index] ?? 0) + at >= to),
      );
      return { ...whole, rounds };
    },
    run: runCompany,
  });
}
