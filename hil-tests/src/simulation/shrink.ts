import { ProgrammeError, runProgramme } from './programme.ts';
import type { Programme } from './plan.ts';
import { programmeOfScript } from './script.ts';
import type { Script } from './script.ts';

const MOST_TRIES = 60;
/** For what is kept, tries are worth it. */
const MOST_TRIES_TO_KEEP = 400;

/** What shrinking has to know of a programme. */
export interface Shrinking<Any> {
  /** Steps of all rounds. */
  readonly sizeOf: (programme: Any) => number;
  /** Without the steps of these numbers, counted over all rounds. */
  readonly without: (programme: Any, from: number, to: number) => Any;
  /** @throws Error what is wrong */
  readonly run: (programme: Any) => Promise<unknown>;
  readonly mostTries?: number;
}

/**
 * Leaves out of a programme that fails what does not matter: half of it at first, then less and less.
 * @returns the error of the shortest that still fails
 */
export async function shrunkBy<Any>(programme: Any, error: Error, how: Shrinking<Any>): Promise<Error> {
  let [shortest, told] = [programme, error];
  const { mostTries = MOST_TRIES } = how;
  let tries = 0;
  for (let share = 2; tries < mostTries;) {
    const size = Math.max(1, Math.floor(how.sizeOf(shortest) / share));
    let isShorter = false;
    for (let from = 0; from < how.sizeOf(shortest) && tries < mostTries;) {
      const candidate = how.without(shortest, from, from + size);
      tries += 1;
      const failed = await errorOf(candidate, how);
      // What follows stands here now; what mattered before is not tried again at once.
      if (failed === undefined) from += size;
      else [shortest, told, isShorter] = [candidate, failed, true];
    }
    if (!isShorter && size === 1) break;
    if (!isShorter) share *= 2;
  }
  return told;
}

/** The same for a programme of one site. */
export function shrunk(programme: Programme, error: Error): Promise<Error> {
  return shrunkBy(programme, error, {
    sizeOf: ({ rounds }) => rounds.reduce((sum, { steps }) => sum + steps.length, 0),
    without,
    run: runProgramme,
  });
}

/**
 * Leaves out of what was done what does not matter for the same thing to be wrong, deed by deed.
 * @returns what is left
 */
export async function shrunkScript(script: Script, error: Error): Promise<Script> {
  const wrong = wrongOf(error);
  const short = await shrunkBy(script, error, {
    sizeOf: ({ rounds }) => rounds.reduce((sum, { begins, deeds }) => sum + begins.length + deeds.length, 0),
    without: withoutDeeds,
    async run(candidate) {
      try {
        await runProgramme(programmeOfScript(candidate));
      } catch (failed) {
        if (failed instanceof Error && wrongOf(failed) === wrong) throw failed;
      }
    },
    mostTries: MOST_TRIES_TO_KEEP,
  });
  return short instanceof ProgrammeError ? short.script : script;
}

/** Which of the things that must be true was not. */
function wrongOf({ message }: Error): string {
  return /^seed \d+: ([^:]*)/.exec(message)?.[1] ?? message;
}

function withoutDeeds({ rounds, ...rest }: Script, from: number, to: number): Script {
  let number = -1;
  const isLeft = (): boolean => {
    number += 1;
    return number < from || number >= to;
  };
  const left = rounds.map(({ begins, deeds, home }) => ({
    home,
    begins: begins.filter(isLeft),
    deeds: deeds.filter(isLeft),
  }));
  return { ...rest, rounds: left.filter(({ begins, deeds }) => begins.length + deeds.length > 0) };
}

/** Also without rounds that have no steps left. */
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

async function errorOf<Any>(programme: Any, { run }: Shrinking<Any>): Promise<Error | undefined> {
  try {
    await run(programme);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
