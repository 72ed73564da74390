import process from 'node:process';
import { expect, test } from 'vitest';
import { programmeOf } from './plan.ts';
import { runProgramme } from './programme.ts';

/** A short run by default; `WHORL_PROGRAMMES=500 WHORL_SEED=1000` for more, from another seed on. */
const PROGRAMMES = Number(process.env['WHORL_PROGRAMMES'] ?? 4);
const SEED = Number(process.env['WHORL_SEED'] ?? 1);
const ROUNDS = Number(process.env['WHORL_ROUNDS'] ?? 4);

test.each(Array.from({ length: PROGRAMMES }, (_, index) => ({ seed: SEED + index, rounds: ROUNDS })))(
  'B1 B2 B3 B5 B7 B9 B10 B11 B12 B13 B14 B15 B16 G5 G7 whatever people and faults do, at rest everything is as it must be [seed $seed]',
  { timeout: 120_000 },
  async ({ seed, rounds }) => {
    await runProgramme(programmeOf(seed, { site: 'usual', rounds }));
  },
);

test.each(Array.from({ length: PROGRAMMES }, (_, index) => SEED + index))(
  'P3 P4 P6 P7 P10 P12 whatever happens to portable terminals and their syncs, at rest everything is as it must be [seed %i]',
  { timeout: 120_000 },
  async (seed) => {
    await runProgramme(programmeOf(seed, { site: 'handheld', rounds: Math.ceil(ROUNDS / 2) }));
  },
);

test.each(Array.from({ length: PROGRAMMES }, (_, index) => SEED + index))(
  'S10 B11 when the gateway goes back to a backup, what it had is there, and what came later comes from the terminals [seed %i]',
  { timeout: 120_000 },
  async (seed) => {
    await runProgramme(programmeOf(seed, { site: 'few', rounds: Math.ceil(ROUNDS / 2), backups: true }));
  },
);

test.each([11, 12])(
  'two runs of a seed end in the same state [seed %i]',
  { timeout: 120_000 },
  async (seed) => {
    const programme = programmeOf(seed, { site: 'usual', rounds: 3 });
    expect(await runProgramme(programme)).toEqual(await runProgramme(programme));
  },
);
