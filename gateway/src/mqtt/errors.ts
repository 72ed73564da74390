import { codeOf, describe, nearest, WhorlError } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import { z } from 'zod';

const LONGEST_SHOWN = 64;

/** How an error is told to programs. */
export const ERROR_VIEW = z.strictObject({
  code: z.string().describe('To search for; protocol/src/errors.ts lists them.'),
  message: z.string(),
  place: z.string().optional().describe('Where in the command.'),
  remedy: z.string(),
});

export type ErrorView = z.infer<typeof ERROR_VIEW>;

/** A command that is not carried out, with the place in it that is to blame. */
export class CommandError extends WhorlError {
  readonly place: string | undefined;

  constructor(code: ErrorCode, detail: string, place?: string) {
    super(code, detail);
    this.place = place;
  }
}

/** The first thing that is wrong with a command. */
export function misfit(error: z.ZodError, known: readonly string[]): CommandError {
  const [issue] = error.issues;
  const place = issue === undefined ? '' : issue.path.map(String).join('.');
  if (issue?.code !== 'unrecognized_keys')
    return new CommandError(
      'MQTT_COMMAND',
      `${place || 'command'}: ${issue?.message ?? 'does not fit'}`,
      place,
    );
  const key = shortened(issue.keys[0] ?? '');
  const near = place === '' ? nearest(key, known) : undefined;
  const where = place === '' ? key : `${place}.${key}`;
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return new CommandError('MQTT_COMMAND', `${where}: means nothing here${hint}`, where);
}

/** What others wrote, short enough to be told back. */
export function shortened(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}

/** Tells an error; one that is none of ours keeps its text to itself. */
export function errorView(error: unknown): ErrorView {
  const code = codeOf(error);
  if (!(error instanceof WhorlError) || code === undefined)
    return {
      code: 'INTERNAL',
      message: 'The gateway failed on this command; its log says more.',
      remedy: 'Repeat it; if it fails again, report what the log says.',
    };
  const place = error instanceof CommandError ? error.place : undefined;
  return {
    code,
    message: error.message,
    ...(place === undefined || place === '' ? {} : { place }),
    remedy: error.remedy,
  };
}

/** For the log: what an error says, with its stack when it is none of ours. */
export function logged(error: unknown): { readonly data: object; readonly text: string } {
  const stack = error instanceof Error && !(error instanceof WhorlError) ? error.stack : undefined;
  return { data: stack === undefined ? {} : { stack }, text: describe(error) };
}
