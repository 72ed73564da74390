import { describe, seededRandom } from '@whorl/protocol';
import type { Cancel, Clock, Random } from '@whorl/protocol';
import type { RunningLine } from '../bus/line.ts';
import type { Terminal } from '../firmware/terminal.ts';
import { RequestError } from '../values/given.ts';
import { suggest } from '../values/suggest.ts';
import type { End, Fault, LinePlace, TerminalPlace } from './fault.ts';
import { LINE_FAULTS } from './line-faults.ts';
import { TERMINAL_FAULTS } from './terminal-faults.ts';

/** Where a fault is: a line, or a terminal on it. */
export interface Target {
  /** Its name. */
  readonly on: string;
  readonly line: RunningLine;
  /** `undefined` for the line itself. */
  readonly terminal?: Terminal | undefined;
}

export interface Wish {
  readonly fault: string;
  /** Options of the fault. */
  readonly given: unknown;
  /** How long, milliseconds; until it is ended unless given. */
  readonly forMs?: number | undefined;
}

/** A fault that goes on. */
export interface ActiveFault {
  readonly fault: string;
  readonly on: string;
  /** By the clock of the emulator, milliseconds. */
  readonly since: number;
  /** `undefined` when it goes on until it is ended. */
  readonly until: number | undefined;
}

interface Going extends ActiveFault {
  readonly end: End;
  readonly timer: Cancel | undefined;
}

/**
 * Finds a fault by its name, and checks what is given with it.
 * @throws WhorlError CONTROL_REQUEST, CONTROL_UNKNOWN
 */
export function checkFault(on: 'line' | 'terminal', isWire: boolean, { fault, given, forMs }: Wish): void {
  const found = knownFault(on, fault);
  found.check(given);
  if (found.wire && !isWire)
    throw new RequestError('fault', `${fault} needs a wire: this line has no baud rate`);
  if (forMs !== undefined && !found.lasts)
    throw new RequestError('for', `${fault} is over at once: it takes no time to last`);
}

/** @throws WhorlError CONTROL_UNKNOWN when nothing of this name goes wrong there */
export function knownFault(on: 'line' | 'terminal', name: string): Fault<never> {
  return on === 'line' ? faultOf(LINE_FAULTS, name) : faultOf(TERMINAL_FAULTS, name);
}

/** What is wrong at the moment on the lines of a fleet. Equal seeds and wishes give equal faults. */
export class Faults {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: (line: string) => void;
  readonly #going = new Set<Going>();
  #told: (fault: ActiveFault, active: boolean) => void = () => undefined;

  constructor(options: { clock: Clock; random: Random; log?: ((line: string) => void) | undefined }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log ?? (() => undefined);
  }

  /** Calls `told` when something goes wrong, and when that has ended; what is over at once goes wrong only. */
  onChange(told: (fault: ActiveFault, active: boolean) => void): void {
    this.#told = told;
  }

  /**
   * Makes something wrong. The same fault in the same place takes the place of an earlier one.
   * @throws WhorlError CONTROL_REQUEST, CONTROL_UNKNOWN, TERMINAL_OFF; then nothing is wrong
   */
  async begin(target: Target, wish: Wish): Promise<void> {
    checkFault(target.terminal === undefined ? 'line' : 'terminal', target.line.medium.isWire, wish);
    await this.heal(target.on, wish.fault);
    const random = seededRandom(this.#random.below(2 ** 32));
    const end = await this.#start(target, wish, { line: target.line, clock: this.#clock, random });
    const since = this.#clock.now();
    const { fault, forMs } = wish;
    const until = forMs === undefined ? undefined : since + forMs;
    const active: ActiveFault = { fault, on: target.on, since, until };
    this.#told(active, true);
    if (end === undefined) return;
    const going: Going = {
      ...active,
      end,
      timer: forMs === undefined ? undefined : this.#clock.after(forMs, () => void this.#end(going)),
    };
    this.#going.add(going);
  }

  /**
   * Puts right what is wrong.
   * @param on a line or terminal
   * @param fault all that is wrong there when not given
   * @returns how many faults were ended
   */
  async heal(on: string, fault?: string): Promise<number> {
    const meant = [...this.#going].filter((one) => one.on === on && (fault ?? one.fault) === one.fault);
    for (const one of meant) await this.#end(one);
    return meant.length;
  }

  /** What is wrong, in the order in which it began. */
  get active(): readonly ActiveFault[] {
    return [...this.#going].map(({ fault, on, since, until }) => ({ fault, on, since, until }));
  }

  /** Ends all without putting anything right: nobody will see it any more. */
  stop(): void {
    for (const { timer } of this.#going) timer?.();
    this.#going.clear();
  }

  #start(target: Target, wish: Wish, place: LinePlace): ReturnType<Fault<TerminalPlace>['begin']> {
    const { terminal } = target;
    if (terminal === undefined) return faultOf(LINE_FAULTS, wish.fault).begin(place, wish.given);
    return faultOf(TERMINAL_FAULTS, wish.fault).begin({ ...place, terminal }, wish.given);
  }

  async #end(going: Going): Promise<void> {
    if (!this.#going.delete(going)) return;
    going.timer?.();
    const { fault, on, since, until } = going;
    this.#told({ fault, on, since, until }, false);
    try {
      await going.end();
    } catch (error) {
      this.#log(`${going.on}: ${going.fault} could not be ended: ${describe(error)}`);
    }
  }
}

/** @throws WhorlError CONTROL_UNKNOWN */
function faultOf<At>(all: Readonly<Record<string, Fault<At>>>, name: string): Fault<At> {
  const found = Object.hasOwn(all, name) ? all[name] : undefined;
  if (found !== undefined) return found;
  const message = `no fault is called ${name}; ${suggest(name, Object.keys(all))}`;
  throw new RequestError('fault', message, 'CONTROL_UNKNOWN');
}
