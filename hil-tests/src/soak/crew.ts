import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { doJob } from './do-job.ts';
import { outcomeSchema, repeating } from './job.ts';
import type { Job, Outcome } from './job.ts';

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
const MOST_SAID = 4_000;

export interface CrewPlan {
  /** Processes; 0 does everything in this one. */
  readonly workers: number;
  /** @returns the next job; `undefined` when there is none any more */
  readonly next: () => Job | undefined;
  readonly done: (job: Job, outcome: Outcome) => void;
  /** Lets go of what is half done. */
  readonly signal: AbortSignal;
}

/**
 * Does jobs in processes beside each other. One that ends amid a job (what is thrown where nobody catches it ends a
 * gateway, too) has failed at it, and another one takes its place.
 */
export async function runCrew(plan: CrewPlan): Promise<void> {
  if (plan.workers === 0) {
    await alone(plan);
    return;
  }
  await Promise.all(Array.from({ length: plan.workers }, () => member(plan)));
}

async function alone({ next, done, signal }: CrewPlan): Promise<void> {
  while (!signal.aborted) {
    const job = next();
    if (job === undefined) return;
    done(job, await doJob(job));
  }
}

async function member({ next, done, signal }: CrewPlan): Promise<void> {
  const held: { worker?: Worker } = {};
  const dismiss = (): void => held.worker?.dismiss();
  signal.addEventListener('abort', dismiss);
  for (let job = next(); job !== undefined; job = signal.aborted ? undefined : next()) {
    if (held.worker?.hasEnded !== false) held.worker = new Worker();
    const outcome = await held.worker.do(job);
    if (!signal.aborted) done(job, outcome);
  }
  signal.removeEventListener('abort', dismiss);
  dismiss();
}

class Worker {
  readonly #child: ChildProcess = fork(WORKER, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
  readonly #ended: Promise<string>;
  hasEnded = false;
  #said = '';

  constructor() {
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-MOST_SAID);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.hasEnded = true;
        resolve(`the process ended with ${signal ?? code ?? 'nothing'}\n${this.#said}`);
      });
    });
  }

  async do(job: Job): Promise<Outcome> {
    this.#said = '';
    const told = new Promise<Outcome>((resolve) => {
      this.#child.once('message', (message) => resolve(outcomeSchema.parse(message)));
    });
    this.#child.send(job);
    const failed = this.#ended.then((failure) => ({ counts: countsOfCrash(job), failure }));
    return Promise.race([told, failed]);
  }

  dismiss(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

function countsOfCrash({ part }: Job): Record<string, number> {
  switch (part) {
    case 'programmes':
    case 'years':
      return { 'sim.seeds': 1, 'sim.violations': 1 };
    case 'sites':
      return { 'sites.seeds': 1, 'sites.violations': 1 };
    case 'powerloss':
      return { 'powerloss.lost': 1 };
    case 'fuzz':
      return { 'fuzz.crashes': 1 };
    case 'kill':
    case 'noise':
      return {};
  }
}

/** What failed, and the one command that repeats it. */
export function inWords(job: Job, failure: string): string {
  return `${failure.trimEnd()}\n${repeating(job)}\n`;
}
