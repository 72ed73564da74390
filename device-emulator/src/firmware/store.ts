import { codeOf, LOG_KINDS } from '@whorl/protocol';
import type { Clock, LogKind, LogRecord, Random } from '@whorl/protocol';
import { shownAt } from './clock.ts';
import { PowerCut } from './flash.ts';
import type { Flash } from './flash.ts';
import { Journal } from './journal.ts';
import type { Model } from './model.ts';
import { PPM_BIAS } from './ops.ts';
import type { Op } from './ops.ts';
import { Recent, torn } from './power-loss.ts';
import type { SharedUsers } from './users.ts';
import { State } from './state.ts';

/** One line of the log before it has its id and time. */
export interface Entry {
  readonly kind: LogKind;
  readonly origin?: LogRecord['origin'];
  readonly user?: number;
  readonly detail?: number;
}

const STORES_A_USER: ReadonlySet<Op['name']> = new Set(['put', 'dropped', 'nextPut', 'nextDropped']);

/** What a terminal keeps, on its flash: a change is stored first and applied then, or neither. */
export class Store {
  readonly state: State;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #model: Model;
  readonly #recent: Recent;
  readonly #changed: ((ops: readonly Op[]) => void) | undefined;
  /** Users that were written to flash since it started. */
  stored = 0;

  /** @param options changed: told of each change, once it is stored @throws WhorlError FLASH_FAILED; PowerCut */
  constructor(options: {
    flash: Flash;
    model: Model;
    clock: Clock;
    random: Random;
    changed?: (ops: readonly Op[]) => void;
  }) {
    this.#changed = options.changed;
    this.#clock = options.clock;
    this.#model = options.model;
    this.#recent = new Recent(options.model.quirks);
    this.#journal = new Journal(options.flash);
    this.state = new State(options.model.capabilities.logs);
    const known = this.#journal.replay((op) => this.state.apply(op));
    if (!known) this.change(this.made(options.random, 0), []);
  }

  /**
   * Carries out changes that belong together, and writes what they were into the log.
   * @throws WhorlError FLASH_FAILED, and then nothing has changed; PowerCut
   */
  change(ops: readonly Op[], entries: readonly Entry[], durable = true): void {
    if (ops.length + entries.length === 0) return;
    if (this.#journal.due) this.#journal.compact(this.state.snapshot());
    const last = ops.findLast((op) => op.name === 'made' || op.name === 'cleared');
    const id = last === undefined ? this.state.log.last : last.name === 'cleared' ? last.last : 0;
    const time = this.shown();
    const all = [...ops, ...entries.map((entry, i) => logged(entry, id + 1 + i, time))];
    this.#journal.append(all, durable);
    this.#recent.note(this.state, ops, this.#clock.now());
    for (const op of all) {
      if (STORES_A_USER.has(op.name)) this.stored += 1;
      this.state.apply(op);
    }
    this.#changed?.(all);
  }

  /** Puts users in place of none. @throws WhorlError FLASH_FAILED; PowerCut */
  adopt({ table, entries }: SharedUsers): void {
    this.#journal.appendEntries(entries);
    this.state.users = table.copy();
  }

  /** What the terminal's clock shows, milliseconds UTC. */
  shown(): number {
    return shownAt(this.state.clock, this.#clock.wallTime());
  }

  /** Milliseconds UTC, whatever the terminal's clock shows. */
  get trueTime(): number {
    return this.#clock.wallTime();
  }

  /** The setting of the clock that shows `shown` now; its drift is kept unless given. */
  clockAt(shown: number, ppm = this.state.clock.ppm): Op {
    return { name: 'clock', shown, at: this.#clock.wallTime(), ppm: ppm + PPM_BIAS };
  }

  /** What makes it as new, but for the count of starts. */
  made(random: Random, boots: number): Op[] {
    const { driftPpm } = this.#model;
    const made: Op = { name: 'made', epoch: newEpoch(random), boots };
    return driftPpm === 0 ? [made] : [made, this.clockAt(this.#clock.wallTime(), driftPpm)];
  }

  /**
   * The power goes, and takes with it what flash of this making does not keep; one that cannot be written loses
   * nothing more.
   */
  powerLost(): void {
    const ops = torn(this.state, this.#recent.before(this.#clock.now()), this.#model.quirks);
    try {
      this.change(ops, []);
    } catch (error) {
      if (!(error instanceof PowerCut) && codeOf(error) !== 'FLASH_FAILED') throw error;
    }
    this.#journal.close();
  }
}

/** Epochs differ so that a gateway can tell a log that began again from one that goes on. */
export function newEpoch(random: Random): number {
  return 1 + random.below(0xffff_ffff);
}

function logged(entry: Entry, id: number, time: number): Op {
  const { kind, origin = 'terminal', user = 0, detail = 0 } = entry;
  return { name: 'logged', record: { id, time, code: LOG_KINDS[kind].code, origin, user, detail } };
}
