import { seededRandom } from '@whorl/protocol';
import type { RigPlan } from '../rig/rig.ts';
import { ACTIONS, giveAnew, regret } from './actions.ts';
import type { Action } from './actions.ts';
import { decisions, staffed, unwatched } from './policy.ts';
import { PORTABLE_ACTIONS } from './portable-actions.ts';

/** The sites on which programmes play. */
export const SITES = {
  /** As small as it can be with two lines, two kinds of terminals and a log that is soon overwritten. */
  few: {
    lines: {
      floor: [
        { name: 'terminal-1', groups: [1] },
        { name: 'terminal-2', groups: [1, 2], logs: 40 },
      ],
      gate: [{ name: 'terminal-3', groups: [2], model: 'card-500' }],
    },
  },
  usual: {
    lines: {
      floor: [
        { name: 'terminal-1', groups: [1] },
        { name: 'terminal-2', groups: [1, 2] },
        { name: 'terminal-3', groups: [2], logs: 40 },
      ],
      lab: [{ name: 'terminal-4', groups: [1] }],
      gate: [{ name: 'terminal-5', groups: [2], model: 'card-500' }],
    },
  },
  /** One that is carried about, and its dock. */
  handheld: {
    lines: {
      floor: [
        { name: 'terminal-1', groups: [1] },
        { name: 'terminal-2', groups: [1, 2], logs: 40 },
      ],
      dock: [{ name: 'handheld-1', model: 'portable-5k' }],
    },
  },
  /** Two, of which one has its dock on a line with others. */
  handhelds: {
    lines: {
      floor: [
        { name: 'terminal-1', groups: [1] },
        { name: 'handheld-2', model: 'portable-5k' },
      ],
      dock: [{ name: 'handheld-1', model: 'portable-5k' }],
      gate: [{ name: 'terminal-3', groups: [2], model: 'card-500' }],
    },
  },
  /** As many on one line as there can be. */
  full: {
    lines: {
      floor: Array.from({ length: 32 }, (_, index) => ({
        name: `terminal-${index + 1}`,
        groups: [1 + (index % 2)],
        ...(index % 8 === 3 ? { logs: 40 } : {}),
      })),
    },
  },
} as const satisfies Readonly<Record<string, RigPlan>>;

export type SiteName = keyof typeof SITES;

/** One thing that is done, with a chance of its own: without it, the others do the same. */
export interface Step {
  readonly action: Action;
  readonly seed: number;
  /** What passes afterwards, milliseconds. */
  readonly passesMs?: number;
}

/** What is done between two moments of rest. */
export interface Round {
  /** What people decide at its beginning, at rest. */
  readonly begins: Step;
  readonly steps: readonly Step[];
  /** Of the chance by which portable terminals come home at its end. */
  readonly home: number;
}

/** Everything that is done at a site. */
export interface Programme {
  readonly seed: number;
  readonly site: SiteName;
  /** Whether backups are made and brought back. */
  readonly backups?: boolean;
  readonly rounds: readonly Round[];
}

export interface Shape {
  readonly site: SiteName;
  readonly rounds: number;
  /** What passes after a step now and then, milliseconds at most. */
  readonly pausesMs?: number;
  readonly backups?: boolean;
}

const MOST_ACTIONS = 6;
const PAUSES_MS = 4_000;
/** After most steps hardly anything passes, so that things happen at once, milliseconds at most. */
const MOMENT_MS = 50;
const WEIGHTED = weighted(ACTIONS);
const WITH_PORTABLES = weighted([
  ...ACTIONS,
  ...PORTABLE_ACTIONS.map(([times, what]): (typeof ACTIONS)[number] => [
    times,
    ({ random }) => [{ do: 'carry', what, seed: random.below(2 ** 32) }],
  ]),
  [6, giveAnew],
]);
const WITH_BACKUPS = weighted([
  ...ACTIONS,
  [9, () => [{ do: 'back-up' }]],
  [7, () => [{ do: 'restore' }]],
  [18, regret],
]);

function weighted(some: readonly (readonly [times: number, action: Action])[]): readonly Action[] {
  return some.flatMap(([times, action]) => Array.from({ length: times }, () => action));
}

export function programmeOf(
  seed: number,
  { site, rounds, pausesMs = PAUSES_MS, backups = false }: Shape,
): Programme {
  const random = seededRandom(seed);
  const any = (): number => random.below(2 ** 32);
  const actions = hasPortables(site) ? WITH_PORTABLES : backups ? WITH_BACKUPS : WEIGHTED;
  // Else the site is empty at first.
  const isStaffed = hasPortables(site) || random.below(3) > 0;
  const step = (): Step => ({
    action: actions[random.below(actions.length)] ?? (() => []),
    seed: any(),
    passesMs: random.below(3) === 0 ? random.below(pausesMs) : random.below(MOMENT_MS),
  });
  const round = (_: unknown, index: number): Round => ({
    begins: { action: index === 0 && isStaffed ? staffed : decisions, seed: any() },
    steps: [
      { action: unwatched, seed: any() },
      ...Array.from({ length: 1 + random.below(MOST_ACTIONS) }, step),
    ],
    home: any(),
  });
  return { seed, site, backups, rounds: Array.from({ length: rounds }, round) };
}

/** Of a site with portable terminals. */
function hasPortables(site: SiteName): boolean {
  return site === 'handheld' || site === 'handhelds';
}

/** Every so many seeds are long; most are short, so that many different beginnings are tried. */
const LONG_EVERY = 16;
const LONG_ROUNDS = 12;
/** Syncs take their time. */
const LONG_CARRIED = 4;
const SHORT_ROUNDS = 3;

/** Of so many seeds of the soak, one has portable terminals, and of so many, one has backups. */
const PORTABLES_EVERY = 5;
const BACKUPS_EVERY = 8;

/** What a seed of the soak stands for. */
export function usualProgramme(seed: number): Programme {
  if (seed % PORTABLES_EVERY === 2) return portableProgramme(seed);
  if (seed % BACKUPS_EVERY === 3) return backupProgramme(seed);
  const chance = seededRandom(seed * 2 + 1);
  const isLong = chance.below(LONG_EVERY) === 0;
  return programmeOf(seed, {
    site: isLong || chance.below(2) === 0 ? 'usual' : 'few',
    rounds: isLong ? LONG_ROUNDS : 1 + chance.below(SHORT_ROUNDS),
  });
}

/** A site where one or two terminals are carried about, and sync in their docks. */
export function portableProgramme(seed: number): Programme {
  const chance = seededRandom(seed * 2 + 1);
  const isLong = chance.below(LONG_EVERY) === 0;
  return programmeOf(seed, {
    site: chance.below(2) === 0 ? 'handheld' : 'handhelds',
    rounds: isLong ? LONG_CARRIED : 1 + chance.below(SHORT_ROUNDS),
  });
}

/** A site whose gateway goes back to its backups. */
export function backupProgramme(seed: number): Programme {
  const chance = seededRandom(seed * 2 + 1);
  const isLong = chance.below(LONG_EVERY) === 0;
  return programmeOf(seed, {
    site: isLong ? 'usual' : 'few',
    rounds: isLong ? LONG_ROUNDS : 1 + chance.below(SHORT_ROUNDS),
    backups: true,
  });
}

/** Most of a terminal's life nothing happens: a full line, hours on which something goes wrong now and then. */
export function longLife(seed: number): Programme {
  return programmeOf(seed, { site: 'full', rounds: 6, pausesMs: 90 * 60_000 });
}
