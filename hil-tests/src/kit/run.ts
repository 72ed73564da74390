import { basename, join } from 'node:path';
import process from 'node:process';
import { codeOf, describe, ERRORS, WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { startVitest } from 'vitest/node';
import type { Reporter, TestCase, Vitest } from 'vitest/node';
import { absent } from '../rig/attendance.ts';
import type { BehaviourMeta } from '../rig/behaviour.ts';
import { forgetGone } from '../rig/gone.ts';
import { HIL_VARIABLE } from '../rig/hil-run.ts';
import type { HilTold } from '../rig/hil-run.ts';
import { portsRig } from '../rig/ports.ts';
import type { RigFile } from '../rig/rig-file.ts';
import { Timeline } from '../rig/timeline.ts';
import type { Result, Run } from './results.ts';
import { suitePath } from './suites.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** How behaviours are told from the plain tests beside them. */
const BEHAVIOURS = String.raw`\[(memory|pty|tcp|ports)\]$`;

export interface RunOptions {
  readonly told: HilTold;
  readonly file: RigFile;
  readonly suites: readonly string[];
  /** Only behaviours whose title holds this. */
  readonly match?: string | undefined;
  readonly clock: Clock;
  /** Told of each behaviour when it has ended. */
  readonly ended: (result: Result) => void;
  /** Told, once, when the bench is there no more, and so the rest is left out. */
  readonly gone: (why: string) => void;
  /** Ends the run when aborted: what runs is ended, the rest does not begin. */
  readonly signal: AbortSignal;
}

/** Runs behaviours on a rig. @throws nothing that a behaviour does: that is in the result */
export async function run(options: RunOptions): Promise<Run> {
  const { told, file, clock, signal } = options;
  const began = clock.wallTime();
  const start = clock.now();
  const head = (): Pick<Run, 'rig' | 'began' | 'ms' | 'interrupted'> => ({
    rig: told.rig,
    began: new Date(began).toISOString(),
    ms: clock.now() - start,
    interrupted: signal.aborted,
  });
  const missing = await missingOn(options);
  if (missing !== undefined) return { ...head(), results: [], errors: [missing] };
  const collected = new Collected(options, signalListeners());
  const env = { [HIL_VARIABLE]: JSON.stringify(told) };
  const vitest = await startVitest([], {
    ...{ root: ROOT, config: false, watch: false, pool: 'forks', env, passWithNoTests: true },
    include: options.suites.map(suitePath),
    // Hardware is there once: one file after the other.
    ...('emulated' in file ? { maxWorkers: 2 } : { fileParallelism: false }),
    testNamePattern: options.match === undefined ? BEHAVIOURS : `${escaped(options.match)}.*${BEHAVIOURS}`,
    // A gateway that is stopped lets users be cleared first.
    hookTimeout: 120_000,
    reporters: [collected],
  });
  await vitest.close();
  process.exitCode = 0;
  const { results, errors } = collected;
  const isNone = results.length + errors.length === 0 && !signal.aborted;
  const none = isNone && options.match !== undefined ? [noneOf(options.match, options.suites)] : [];
  return { ...head(), results, errors: [...errors, ...none] };
}

function noneOf(match: string, suites: readonly string[]): string {
  return `no behaviour of ${suites.join(', ')} has “${match}” in its title; capitals count`;
}

/** Why nothing can run on a bench: each behaviour would wait for whoever is not there. */
async function missingOn({ file, clock, signal }: RunOptions): Promise<string | undefined> {
  if ('emulated' in file) return undefined;
  try {
    const site = await portsRig(file, { console: undefined, timeline: new Timeline(), begin: 0 });
    const missing = await absent(site, { clock, signal }).finally(() => site.close());
    if (missing.length > 0) throw new WhorlError('RIG_ABSENT', missing.join('\n  '));
    forgetGone(file.data);
    return undefined;
  } catch (error) {
    return withRemedy(error);
  }
}

function withRemedy(error: unknown): string {
  const code = codeOf(error);
  return code === undefined ? describe(error) : `${describe(error)}\n  ${ERRORS[code]}`;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

function signalListeners(): ReadonlySet<unknown> {
  return new Set<unknown>(SIGNALS.flatMap((name) => process.listeners(name)));
}

/** Hears of each behaviour as it ends. */
class Collected implements Reporter {
  readonly results: Result[] = [];
  errors: readonly string[] = [];
  #gone: string | undefined;
  readonly #options: RunOptions;
  readonly #listeners: ReadonlySet<unknown>;

  /** @param listeners for signals, those of whoever called */
  constructor(options: RunOptions, listeners: ReadonlySet<unknown>) {
    this.#options = options;
    this.#listeners = listeners;
  }

  onInit(vitest: Vitest): void {
    // The runner would end the process at once, with rigs half taken down and nothing told.
    for (const name of SIGNALS)
      for (const listener of process.listeners(name))
        if (!this.#listeners.has(listener)) process.off(name, listener);
    const { signal } = this.#options;
    const cancel = (): void => void vitest.cancelCurrentRun('keyboard-input');
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel);
  }

  onTestCaseResult(test: TestCase): void {
    const { behaviour } = test.meta();
    if (behaviour === undefined) return;
    const result = resultOf(test, behaviour);
    this.results.push(result);
    this.#options.ended(result);
    if (behaviour.gone === undefined || this.#gone !== undefined) return;
    this.#gone = withRemedy(new WhorlError('RIG_GONE', behaviour.gone));
    this.#options.gone(this.#gone);
  }

  onTestRunEnd: NonNullable<Reporter['onTestRunEnd']> = (modules, unhandled) => {
    const broken = modules.flatMap((module) => module.errors().map(({ message }) => message));
    const gone = this.#gone === undefined ? [] : [this.#gone];
    this.errors = [...gone, ...broken, ...unhandled.map(({ message }) => message)];
  };
}

function resultOf(test: TestCase, { title, timeline }: BehaviourMeta): Result {
  const suite = basename(test.module.moduleId, '.test.ts');
  const ms = test.diagnostic()?.duration ?? 0;
  const ended = test.result();
  if (ended.state === 'passed') return { suite, title, state: 'passed', ms };
  if (ended.state !== 'failed') {
    const reason = ended.state === 'skipped' ? ended.note : undefined;
    return { suite, title, state: 'left-out', ms, reason: reason ?? 'the run ended before it' };
  }
  const [first] = ended.errors;
  const stack = first?.stacks?.map(({ file, line, column }) => `${file}:${line}:${column}`).join('\n');
  return {
    ...{ suite, title, state: 'failed', ms, reason: ended.errors.map(({ message }) => message).join('\n') },
    ...(stack === undefined || stack === '' ? {} : { stack }),
    ...(timeline === undefined ? {} : { timeline }),
  };
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}
