import { counted } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { Progress } from '../../sites/progress.ts';
import type { MoveReport, MoveStep } from '../../store/postgres/moving.ts';
import { ProgressLine } from '../progress-line.ts';
import type { ProgressOut } from '../progress-line.ts';
import { span } from '../table.ts';

/** Of work that goes row by row. */
type RowStep = Extract<MoveStep, { readonly of: number }>;

const DONE = { rows: 'copied', compared: 'compared' } as const satisfies Record<RowStep['step'], string>;

/** Tells how far a copy of the database is: people on one line, programs each step as JSON. */
export class CopyTelling {
  readonly #out: ProgressOut;
  readonly #line: ProgressLine;
  readonly #json: boolean;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #progress = new Progress<RowStep['step']>();

  constructor(parts: {
    readonly out: ProgressOut;
    readonly json: boolean;
    readonly clock: Pick<Clock, 'now'>;
  }) {
    this.#out = parts.out;
    this.#line = new ProgressLine(parts.out);
    this.#json = parts.json;
    this.#clock = parts.clock;
  }

  tell(step: MoveStep): void {
    if ('of' in step) this.#rows(step);
    else if (this.#json) this.#out.write(`${JSON.stringify(step)}\n`);
    else if (step.step === 'difference')
      this.#line.at(`${counted(step.rows, 'row')} changed meanwhile, copied in ${span(step.tookMs)}`);
    else
      this.#line.say(
        step.step === 'stop'
          ? 'Stop the gateway now; until then, what changes is copied every few seconds.'
          : 'The gateway is stopped: the last difference.',
      );
  }

  /** Whatever comes next has a line of its own. */
  end(): void {
    this.#line.end();
  }

  #rows(step: RowStep): void {
    const { left, leftMs } = this.#progress.at(step.step, step.of - step.rows, this.#clock.now());
    const rest = { left, ...(leftMs === undefined ? {} : { leftMs }) };
    if (this.#json) {
      this.#out.write(`${JSON.stringify({ ...step, ...rest })}\n`);
      return;
    }
    const done = DONE[step.step];
    if (left === 0) {
      this.#line.say(`${counted(step.of, 'row is', 'rows are')} ${done}.`);
      return;
    }
    const time = leftMs === undefined ? '' : `, about ${span(leftMs)}`;
    const [rows, of] = [step.rows, step.of].map((one) => one.toLocaleString('en'));
    this.#line.at(`${rows} of ${of} rows ${done}, ${left.toLocaleString('en')} left${time}`);
  }
}

/** What came of it, in words. @param url where it is now */
export function showCopied({ rows, tables, stoppedMs, aside }: MoveReport, url: string): string {
  return [
    `${counted(rows, 'row is', 'rows are')} at ${url}, in ${counted(tables.length, 'table')}, the same as in the file, ` +
      `${(stoppedMs / 1000).toFixed(1)} s after the gateway was stopped. Start it with this configuration.`,
    ...(aside === undefined ? [] : [`What was there is kept in schema ${aside}.`]),
  ].join('\n');
}
