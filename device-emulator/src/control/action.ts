import type { Clock } from '@whorl/protocol';
import { z } from 'zod';
import type { RunningLine } from '../bus/line.ts';
import type { Front } from '../firmware/front.ts';
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
  readonly front: Front;
}

/** Something that can be done, with what it wants and what it tells. */
export interface Action<At, Of extends Shape = Shape, Answer extends z.ZodType = z.ZodType> {
  readonly doc: string;
  /** Help by name of the option. */
  readonly options: Readonly<Record<string, string>>;
  readonly shape: Of;
  readonly answer: Answer;
  /**
   * Checks what is given and does it.
   * @param given members by name, as JSON or as text from a shell
   * @throws WhorlError CONTROL_REQUEST as {@link RequestError}, and then nothing was done; what the action itself throws
   */
  act(at: At, given: unknown): Promise<object>;
}

const done = z.strictObject({});

/** Something that is done, and that is all. */
export function action<At, Of extends Shape>(
  doc: string,
  shape: Of,
  run: (at: At, given: Given<Of>) => void | Promise<void>,
): Action<At, Of, typeof done> {
  const read = reader(shape);
  const act = async (at: At, given: unknown): Promise<object> => {
    await run(at, read(given));
    return {};
  };
  return { doc, options: helpOf(shape), shape, answer: done, act };
}

/** Something that is done and answers. */
export function answering<At, Of extends Shape, Answer extends z.ZodObject>(
  doc: string,
  shape: Of,
  answer: Answer,
  run: (at: At, given: Given<Of>) => z.input<Answer> | Promise<z.input<Answer>>,
): Action<At, Of, Answer> {
  const read = reader(shape);
  return { doc, options: helpOf(shape), shape, answer, act: async (at, given) => run(at, read(given)) };
}
