import type { Clock } from '@whorl/protocol';
import type { RunningLine } from '../bus/line.ts';
import type { Terminal } from '../firmware/terminal.ts';
import { helpOf, reader } from '../values/given.ts';
import type { Given, Shape } from '../values/given.ts';

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

type Result = object | undefined;

export function action<At, Of extends Shape>(
  doc: string,
  shape: Of,
  run: (at: At, given: Given<Of>) => Result | Promise<Result>,
): Action<At> {
  const read = reader(shape);
  return { doc, options: helpOf(shape), act: async (at, given) => (await run(at, read(given))) ?? {} };
}
