import { WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { z } from 'zod';
import { suggest } from '../fleet/nearest.ts';
import type { RunningLine } from '../fleet/fleet.ts';
import type { Terminal } from '../firmware/terminal.ts';

/** Where an action on a line is done. */
export interface LinePlace {
  readonly line: RunningLine;
  readonly clock: Clock;
}

/** Where an action on a terminal is done. */
export interface TerminalPlace extends LinePlace {
  readonly terminal: Terminal;
}

/** Something that can be done, with what it wants. */
export interface Action<At> {
  readonly doc: string;
  /** Help by name of the option. */
  readonly options: Readonly<Record<string, string>>;
  /**
   * Checks what is given and does it.
   * @param given members by name, as JSON or as text from a shell
   * @throws WhorlError CONTROL_REQUEST as {@link RequestError}, and then nothing was done; what the action itself throws
   */
  act(at: At, given: unknown): Promise<object>;
}

/** A request that is not one. */
export class RequestError extends WhorlError {
  /** The member that is wrong; empty when it is the whole request. */
  readonly place: string;

  constructor(place: string, message: string) {
    super('CONTROL_REQUEST', message);
    this.place = place;
  }
}

type Result = object | undefined;

export function action<At, Shape extends Record<string, z.ZodType>>(
  doc: string,
  shape: Shape,
  run: (at: At, given: z.output<z.ZodObject<Shape, z.core.$strict>>) => Result | Promise<Result>,
): Action<At> {
  const schema = z.strictObject(shape);
  const options = Object.fromEntries(Object.entries(shape).map(([key, one]) => [key, one.description ?? '']));
  return {
    doc,
    options,
    async act(at, given) {
      const parsed = schema.safeParse(given);
      if (!parsed.success) throw wrong(parsed.error.issues, Object.keys(shape));
      return (await run(at, parsed.data)) ?? {};
    },
  };
}

function wrong(issues: readonly z.core.$ZodIssue[], known: readonly string[]): RequestError {
  const told = issues.map((issue) => {
    if (issue.code !== 'unrecognized_keys')
      return {
        place: issue.path.join('.'),
        message: `${issue.path.join('.') || 'request'}: ${issue.message}`,
      };
    const [key = ''] = issue.keys;
    const hint = known.length === 0 ? 'this action has no options' : suggest(key, known);
    return { place: key, message: `${key}: unknown option; ${hint}` };
  });
  return new RequestError(told[0]?.place ?? '', told.map(({ message }) => message).join('; '));
}
