import process from 'node:process';
import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';
import { suggest } from '@whorl/device-emulator/values/suggest';
import { describe, fitted } from '@whorl/protocol';

const NOT_UNDERSTOOD = 2;

/**
 * Options of a script. `--help` is told, and ends it; what is not understood ends it with code 2 before anything began.
 */
export function optionsOf<const Options extends ParseArgsOptionsConfig>(
  help: string,
  options: Options,
): ReturnType<typeof parseArgs<{ options: Options }>>['values'] {
  if (process.argv.includes('--help')) {
    process.stdout.write(`${fitted(help, process.stdout.columns)}\n`);
    process.exit(0);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(describe(error));
  }
}

/** A number that is written after an option. */
export function numberOf(option: string, given: string, { least = 0, whole = true } = {}): number {
  const number = given.trim() === '' ? Number.NaN : Number(given);
  const fits = whole ? Number.isSafeInteger(number) : Number.isFinite(number);
  if (fits && number >= least) return number;
  return refuse(`--${option} ${given}: a ${whole ? 'whole ' : ''}number from ${least} on`);
}

/** Refuses words after an option that mean nothing. @param means whether one means anything */
export function checkWords(
  option: string,
  given: readonly string[],
  known: readonly string[],
  means: (word: string) => boolean = (word) => known.includes(word),
): void {
  for (const word of given) if (!means(word)) refuse(`--${option} ${word}: ${suggest(word, known)}`);
}

/** Ends the script: it was not told what it could do. */
export function refuse(what: string): never {
  process.stderr.write(`${fitted(`${what}\n(--help tells how it is used)`, process.stderr.columns)}\n`);
  process.exit(NOT_UNDERSTOOD);
}
