import { Option, InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { codeOf, describe, ERRORS, fitted } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import { RequestError } from '../../values/given.ts';
import { CONTROL_PORT } from '../client.ts';

/** Where a command talks to, and how it ends. */
export interface Shell {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Of the terminal that it is shown on; `undefined` when it goes elsewhere. */
  readonly columns?: number | undefined;
  /** The code that the process ends with, when it has done. */
  readonly exitCode: (code: number) => void;
}

export const EXIT = { failed: 1, usage: 2, unreachable: 3 } as const;

const EXITS: Partial<Record<ErrorCode, number>> = {
  CONTROL_REQUEST: EXIT.usage,
  CONTROL_UNKNOWN: EXIT.usage,
  FLEET_FILE: EXIT.usage,
  FLEET_UNKNOWN: EXIT.usage,
  MODEL_FILE: EXIT.usage,
  MODEL_UNKNOWN: EXIT.usage,
  FILE_WRITE: EXIT.usage,
  KEYS_OPEN: EXIT.usage,
  CONTROL_UNREACHABLE: EXIT.unreachable,
};

/** What every command takes that asks a running emulator. */
export interface Shared {
  readonly json?: boolean;
  readonly controlPort: number;
}

/** Adds a command that asks a running emulator, or starts one. */
export function controlCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--json', 'print JSON for programs')
    .addOption(
      new Option('--control-port <n>', 'port on this machine where the emulator is told what to do')
        .default(CONTROL_PORT)
        .argParser(readPort),
    );
}

/** @throws InvalidArgumentError */
export function readPort(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number <= 0xffff) return number;
  throw new InvalidArgumentError('a port is a number from 0 to 65535.');
}

/** Does a command's work; an error is told with what to do about it, and ends with its exit code. */
export async function guarded(
  shell: Shell,
  { json }: Pick<Shared, 'json'>,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const code = error instanceof InvalidArgumentError ? 'CONTROL_REQUEST' : codeOf(error);
    const remedy = code === undefined ? '' : ERRORS[code];
    const place = error instanceof RequestError ? error.place : '';
    const message =
      error instanceof RequestError
        ? asTyped(error)
        : error instanceof Error
          ? error.message
          : describe(error);
    const text = `${code === undefined ? '' : `${code}: `}${message}\n${remedy}`.trimEnd();
    shell.err(json === true ? JSON.stringify({ code, message, place, remedy }) : fitted(text, shell.columns));
    shell.exitCode((code === undefined ? undefined : EXITS[code]) ?? EXIT.failed);
  }
}

/** Prints what a command has found: for programs, or in words. */
export function print(shell: Shell, { json }: Pick<Shared, 'json'>, value: unknown, text: string): void {
  if (json === true) shell.out(JSON.stringify(value));
  else say(shell, text);
}

/** Tells something in words. */
export function say(shell: Shell, text: string): void {
  shell.out(fitted(text, shell.columns));
}

/** What is wrong with a request, its members as the command line has them. */
function asTyped({ message }: RequestError): string {
  return message
    .replaceAll(/(?<=^|; )(?!request:)([a-z][a-z-]*)(?:\.\d+)?: /g, '--$1: ')
    .replaceAll('unknown option; did you mean ', 'unknown option; did you mean --');
}
