import { runProgramme } from './programme.ts';
import type { Programme } from './plan.ts';

const MOST_TRIES = 60;

/**
 * Leaves out of a programme that fails what does not matter: half of it at first, then less and less.
 * @returns the error of the shortest that still fails
 */
export async function shrunk(programme: Programme, error: Error): Promise<Error> {
  let [shortest, told] = [programme, error];
  let tries = 0;
  for (let share = 2; tries < MOST_TRIES;) {
    const total = sizeOf(shortest);
    const size = Math.max(1, Math.floor(total / share));
    let isShorter = false;
    for (let from = 0; from < total && tries < MOST_TRIES; from += size) {
      const candidate = without(shortest, from, from + size);
      tries += 1;
      const failed = await errorOf(candidate);
      if (failed === undefined) continue;
      [shortest, told, isShorter] = [candidate, failed, true];
      break;
    }
    if (!isShorter && size === 1) break;
    if (!isShorter) share *= 2;
  }
  return told;
}

function sizeOf({ rounds }: Programme): number {
  return rounds.reduce((sum, { steps }) => sum + steps.length, 0);
}

/** Without the steps of these numbers, and without rounds that have none left. */
function without({ rounds, ...rest }: Programme, from: number, to: number): Programme {
  let number = -1;
  const left = rounds.map((round) => {
    const steps = round.steps.filter(() => {
      number += 1;
      return number < from || number >= to;
    });
    return { ...round, steps };
  });
  return { ...rest, rounds: left.filter(({ steps }) => steps.length > 0) };
}

async function errorOf(programme: Programme): Promise<Error | undefined> {
  try {
    await runProgramme(programme);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
