import type { Clock, Random } from '@whorl/protocol';
import type { RunningLine } from '../bus/line.ts';
import type { Terminal } from '../firmware/terminal.ts';
import { helpOf, reader } from '../values/given.ts';
import type { Given, Shape } from '../values/given.ts';

/** A line with something wrong. */
export interface LinePlace {
  readonly line: RunningLine;
  readonly clock: Clock;
  /** A source of the fault's own, so that what it draws changes nothing for others. */
  readonly random: Random;
}

/** A terminal with something wrong. */
export interface TerminalPlace extends LinePlace {
  readonly terminal: Terminal;
}

/** Puts right again what a fault has made wrong. */
export type End = () => void | Promise<void>;

/** What somebody at a gateway can see of a fault. */
export interface Symptom {
  /** In words. */
  readonly as: string;
  /** After it has begun, milliseconds, while a line is used as usual. */
  readonly withinMs: number;
}

/** One kind of thing that goes wrong. */
export interface Fault<At> {
  /** What happens. */
  readonly doc: string;
  /** What an installer sees of it. */
  readonly field: string;
  /** Help by name of the option. */
  readonly options: Readonly<Record<string, string>>;
  readonly shape: Shape;
  /** Whether it goes on until it is ended; else it is over when it has begun. */
  readonly lasts: boolean;
  /** Whether it needs a wire: bytes that take time. */
  readonly wire: boolean;
  /** How it shows at a gateway, and how soon. */
  readonly noticed: Symptom;
  /**
   * How soon after it has ended, or was over, all is as if it had never been, milliseconds: every terminal online, and
   * whoever was enrolled meanwhile on every terminal.
   */
  readonly wellMs: number;
  /**
   * Checks what is given, without doing anything.
   * @throws WhorlError CONTROL_REQUEST
   */
  check(given: unknown): void;
  /** @throws WhorlError CONTROL_REQUEST, and what the terminal says when it is off */
  begin(at: At, given: unknown): End | undefined | Promise<End | undefined>;
}

interface About {
  readonly doc: string;
  readonly field: string;
  readonly noticed: Symptom;
  readonly wellMs: number;
  readonly wire?: true;
}

/** A fault that goes on until it is ended. */
export function lasting<At, Of extends Shape>(
  about: About,
  shape: Of,
  run: (at: At, given: Given<Of>) => End | Promise<End>,
): Fault<At> {
  return make(about, shape, { lasts: true, run });
}

/** A fault that is over when it has begun; what it leaves behind stays. */
export function sudden<At, Of extends Shape>(
  about: About,
  shape: Of,
  run: (at: At, given: Given<Of>) => void | Promise<void>,
): Fault<At> {
  const begin = async (at: At, given: Given<Of>): Promise<undefined> => {
    await run(at, given);
  };
  return make(about, shape, { lasts: false, run: begin });
}

function make<At, Of extends Shape>(
  about: About,
  shape: Of,
  {
    lasts,
    run,
  }: Pick<Fault<At>, 'lasts'> & { run: (at: At, given: Given<Of>) => ReturnType<Fault<At>['begin']> },
): Fault<At> {
  const read = reader(shape);
  return {
    doc: about.doc,
    field: about.field,
    noticed: about.noticed,
    wellMs: about.wellMs,
    wire: about.wire === true,
    lasts,
    options: helpOf(shape),
    shape,
    check(given) {
      read(given);
    },
    begin: (at, given) => run(at, read(given)),
  };
}

/** Whether something happens that has this chance, 0 to 1. */
export function happens(random: Random, chance: number): boolean {
  return random.below(2 ** 32) < chance * 2 ** 32;
}
