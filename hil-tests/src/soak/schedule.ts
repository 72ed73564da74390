import type { Clock } from '@whorl/protocol';
import { PARTS } from './job.ts';
import type { Job, Outcome, Part } from './job.ts';

export interface SchedulePlan {
  readonly seed: number;
  readonly minutes: number;
  /** Works until what a release needs is reached, if there is time. */
  readonly release: boolean;
  /** Parts that are done; all when there is none. */
  readonly only: readonly Part[];
  readonly clock: Clock;
}

/** What a release run has to reach. */
const GOALS: Readonly<Record<Part, readonly [metric: string, goal: number] | undefined>> = {
  kill: ['kill.cycles', 1_000],
  noise: undefined,
  powerloss: ['powerloss.cycles', 1_000_000],
  programmes: ['sim.seeds', 100_000],
  years: ['sim.device_years', 100],
  sites: ['sites.seeds', 5_000],
  fuzz: ['fuzz.frames', 1_000_000_000],
};
/** Of the time, when nothing else decides. */
const SHARES: Readonly<Record<Part, number>> = {
  kill: 1,
  noise: 1,
  powerloss: 1,
  programmes: 4,
  years: 4,
  sites: 2,
  fuzz: 1,
};
/** Seeds of the simulation that a minute has at least, for the first few. */
const SEEDS_A_MINUTE = 200;
const MOST_SEEDS_AT_LEAST = 200;
const LONG_MINUTES = 10;
/** A long cycle of kills is not begun later than this before the end, milliseconds. */
const KILL_MS = 300_000;
const LOSSES_A_SEED = 100;
/** Of a short run: every fourth company has terminals on a line, which takes minutes. */
const SITES_IN_SHORT = 3;
const FUZZ_MS = 5_000;
/** Every so many seeds are run twice, and have to end in the same state. */
const TWICE_EVERY = 8;

interface Progress {
  /** Jobs begun. */
  jobs: number;
  /** Of one worker, milliseconds. */
  spentMs: number;
  readonly counts: Record<string, number>;
  /** When each job under way began. */
  readonly underWay: Map<Job, number>;
}

/** What is done next, and what came of it so far. */
export class Schedule {
  readonly #plan: SchedulePlan;
  readonly #parts: ReadonlyMap<Part, Progress>;
  readonly #end: number;
  /** State hashes, by part and seed. */
  readonly #hashes = new Map<string, string>();
  readonly #seeds: Generator<number, never>;
  readonly began: number;
  failures = 0;

  constructor(plan: SchedulePlan) {
    this.#plan = plan;
    this.began = plan.clock.now();
    this.#end = this.began + plan.minutes * 60_000;
    const wanted = PARTS.filter((part) => plan.only.length === 0 || plan.only.includes(part));
    this.#parts = new Map(
      wanted.map((part) => [part, { jobs: 0, spentMs: 0, counts: {}, underWay: new Map() }]),
    );
    this.#seeds = seedsFrom(plan.seed);
  }

  /** @returns the next job of the part that is furthest behind its share of the time */
  next(): Job | undefined {
    const open = [...this.#parts].filter(([part, progress]) => this.#isOpen(part, progress));
    const [first] = open.sort(([a, x], [b, y]) => this.#spent(x) / SHARES[a] - this.#spent(y) / SHARES[b]);
    if (first === undefined) return undefined;
    const [part, progress] = first;
    const job = this.#make(part, progress.jobs);
    progress.jobs += 1;
    progress.underWay.set(job, this.#plan.clock.now());
    return job;
  }

  /** @returns what was not as it must be */
  done(job: Job, outcome: Outcome): string | undefined {
    const progress = this.#parts.get(job.part);
    if (progress === undefined) return undefined;
    const now = this.#plan.clock.now();
    progress.spentMs += now - (progress.underWay.get(job) ?? now);
    progress.underWay.delete(job);
    const before = this.#hashes.get(`${job.part} ${job.seed}`);
    const isSecond = before !== undefined;
    if (outcome.hash !== undefined) this.#hashes.set(`${job.part} ${job.seed}`, outcome.hash);
    const differs = isSecond && outcome.hash !== undefined && before !== outcome.hash;
    if (differs) add(progress.counts, { 'sim.violations': 1 });
    if (!isSecond) add(progress.counts, outcome.counts);
    const failure =
      outcome.failure ?? (differs ? `two runs of seed ${job.seed} end in different states` : undefined);
    if (failure !== undefined) this.failures += 1;
    return failure;
  }

  /** What was counted, how many of it a worker does in a minute, and how long all that a release needs takes one. */
  figures(): Record<string, number> {
    const all: Record<string, number> = {};
    let hours = 0;
    for (const [part, { counts, spentMs }] of this.#parts) {
      add(all, counts);
      const [metric, goal] = GOALS[part] ?? [];
      if (metric === undefined || goal === undefined) continue;
      const rate = spentMs === 0 ? 0 : (counts[metric] ?? 0) / (spentMs / 60_000);
      if (spentMs > 0) all[`${metric}_per_minute`] = rate;
      // Infinite as long as nothing of a part is done, and not told.
      hours += goal / rate / 60;
    }
    const rounded = Object.entries(all).map(([metric, value]) => [metric, roundedTo(value, 6)] as const);
    return {
      ...Object.fromEntries(rounded),
      minutes: roundedTo((this.#plan.clock.now() - this.began) / 60_000, 3),
      ...(this.#plan.release && Number.isFinite(hours)
        ? { 'release.worker_hours': roundedTo(hours, 2) }
        : {}),
    };
  }

  #spent({ spentMs, underWay }: Progress): number {
    const now = this.#plan.clock.now();
    return [...underWay.values()].reduce((sum, began) => sum + now - began, spentMs);
  }

  #isOpen(part: Part, { jobs, counts }: Progress): boolean {
    const { minutes, release, clock } = this.#plan;
    const isLong = minutes >= LONG_MINUTES;
    if (part === 'noise' || (part === 'kill' && !isLong)) return jobs === 0;
    if (part === 'sites' && !isLong && this.#parts.size > 1) return jobs < SITES_IN_SHORT;
    if (part === 'years' && !isLong && this.#parts.size > 1) return false;
    if (jobs < this.#least(part)) return true;
    const [metric, goal] = GOALS[part] ?? [];
    if (release && metric !== undefined && goal !== undefined && (counts[metric] ?? 0) >= goal) return false;
    return clock.now() < this.#end - (part === 'kill' ? KILL_MS : 0);
  }

  #least(part: Part): number {
    if (part !== 'programmes') return 1;
    const seeds = Math.min(MOST_SEEDS_AT_LEAST, Math.floor(this.#plan.minutes * SEEDS_A_MINUTE));
    const isTwice = this.#plan.seed % TWICE_EVERY === 0;
    return Math.max(isTwice ? 2 : 1, Math.ceil(seeds * (1 + 1 / TWICE_EVERY)));
  }

  #make(part: Part, index: number): Job {
    const isLong = this.#plan.minutes >= LONG_MINUTES;
    const seed = this.#plan.seed + index;
    switch (part) {
      case 'kill':
        return isLong
          ? { part, seed, users: 200, fingers: 10, kills: 10 }
          : { part, seed, users: 18, fingers: 3, kills: 3 };
      case 'noise':
        return { part, seed, forMs: isLong ? 60_000 : 5_000 };
      case 'powerloss':
        return { part, seed, losses: LOSSES_A_SEED };
      case 'programmes':
        return { part, seed: this.#seeds.next().value };
      case 'years':
        return { part, seed };
      case 'sites':
        return { part, seed };
      case 'fuzz':
        return { part, seed, forMs: Math.min(FUZZ_MS, Math.max(1_000, this.#plan.minutes * 60_000)) };
    }
  }
}

/** Every so many come twice, one after the other: mostly in two processes. */
function* seedsFrom(first: number): Generator<number, never> {
  for (let seed = first; ; seed += 1) {
    yield seed;
    if (seed % TWICE_EVERY === 0) yield seed;
  }
}

function add(sum: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [metric, count] of Object.entries(counts)) sum[metric] = (sum[metric] ?? 0) + count;
}

function roundedTo(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
