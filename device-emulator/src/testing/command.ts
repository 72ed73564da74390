import { makeProgram } from '../control/commands/program.ts';

/** What came of a command. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

class Exited extends Error {}

/** For tests: runs a command of the emulator within this process. */
export function runCommand(...args: string[]): Promise<Ended> {
  return runCommandOn(undefined, ...args);
}

/** The same, on a terminal of so many columns. */
export async function runCommandOn(columns: number | undefined, ...args: string[]): Promise<Ended> {
  let [code, out, err] = [0, '', ''];
  const shell = {
    columns,
    out: (text: string) => (out += `${text}\n`),
    err: (text: string) => (err += `${text}\n`),
    exitCode: (told: number) => (code = told),
  };
  const program = makeProgram(shell, (told) => {
    code = told;
    throw new Exited();
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof Exited)) throw error;
  }
  return { code, out, err };
}
