import { codeOf, sleep, textOf, WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { JobRow, JobStore } from '../store/jobs.ts';

/** What long work tells of itself, and when it is to end. */
export interface JobControl {
  /** Aborts when somebody cancels it, or the gateway stops. */
  readonly signal: AbortSignal;
  /**
   * To be called, and awaited, between steps: others get their turn then, however quick the steps are.
   * @param total steps that there are; as before when not given
   */
  readonly progress: (done: number, total?: number) => Promise<void>;
}

/** Long work; ends early, with what it has so far, when its signal aborts. */
export type Work = (control: JobControl) => Promise<unknown>;

interface Running {
  row: JobRow;
  readonly stop: AbortController;
  readonly watchers: Set<() => void>;
}

const MOST_RUNNING = 8;
/** Longest that a job keeps others waiting between its steps, milliseconds. */
const TURN_MS = 10;
/** The end of a job that the database did not take is tried again so often. */
const SAVE_AGAIN_MS = 5_000;

export interface JobsParts {
  readonly store: JobStore;
  readonly clock: Clock;
  /** Told of each that ended, for the audit trail. */
  readonly ended: (job: JobRow) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
}

/** Long work that people asked for: progress, cancelling, results. One that a restart interrupts is not begun again. */
export class Jobs {
  readonly #parts: JobsParts;
  readonly #running = new Map<number, Running>();
  /** They have ended, and the database does not know yet. */
  readonly #unsaved = new Map<number, JobRow>();
  readonly #endings = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(parts: JobsParts) {
    this.#parts = parts;
  }

  /** Marks what ran when the gateway ended last. */
  async open(): Promise<void> {
    await this.#parts.store.interrupt(this.#parts.clock.wallTime());
  }

  /** @throws WhorlError JOB_MANY, STORE_* */
  async start(
    wish: { readonly kind: string; readonly who: string; readonly total: number },
    work: Work,
  ): Promise<JobRow> {
    if (this.#running.size >= MOST_RUNNING)
      throw new WhorlError('JOB_MANY', `${MOST_RUNNING} jobs are running`);
    const { store, clock } = this.#parts;
    const fresh = { ...wish, state: 'running', began: clock.wallTime(), done: 0 } as const;
    const row = { ...fresh, id: await store.add(fresh) };
    const running: Running = {
      row,
      stop: new AbortController(),
      watchers: new Set(),
    };
    this.#running.set(row.id, running);
    const ending = this.#carryOut(running, work)
      .catch(this.#parts.onFailure)
      .finally(() => this.#endings.delete(ending));
    this.#endings.add(ending);
    return row;
  }

  /** @throws WhorlError JOB_UNKNOWN */
  async job(id: number): Promise<JobRow> {
    const found = this.#here(id) ?? (await this.#parts.store.job(id));
    if (found === undefined) throw new WhorlError('JOB_UNKNOWN', `there is no job ${id}`);
    return found;
  }

  /** The newest, newest first. */
  async list(limit: number): Promise<readonly JobRow[]> {
    const rows = await this.#parts.store.list(limit);
    return rows.map((row) => this.#here(row.id) ?? row);
  }

  /** What is newer than the database. */
  #here(id: number): JobRow | undefined {
    return this.#running.get(id)?.row ?? this.#unsaved.get(id);
  }

  /** Asks a job to end; it does when it can. @throws WhorlError JOB_UNKNOWN, JOB_OVER */
  async cancel(id: number): Promise<void> {
    const { state } = await this.job(id);
    const running = this.#running.get(id);
    if (running === undefined) throw new WhorlError('JOB_OVER', `job ${id} is ${state}`);
    running.stop.abort();
  }

  /** Calls `changed` whenever a job has moved on or ended. @returns ends it */
  watch(id: number, changed: () => void): () => void {
    const watchers = this.#running.get(id)?.watchers;
    watchers?.add(changed);
    return () => void watchers?.delete(changed);
  }

  /** Cancels all; resolves when they have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { stop } of this.#running.values()) stop.abort();
    await Promise.all(this.#endings);
  }

  async #carryOut(running: Running, work: Work): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = running.stop;
    let turn = clock.now();
    const tell = (row: JobRow): void => {
      running.row = row;
      for (const changed of running.watchers) changed();
    };
    const control: JobControl = {
      signal,
      progress: async (done, total = running.row.total) => {
        tell({ ...running.row, done, total });
        if (clock.now() - turn < TURN_MS) return;
        await sleep(clock, 0);
        turn = clock.now();
      },
    };
    let end: Pick<JobRow, 'state' | 'result' | 'error'>;
    try {
      const result = await work(control);
      end = { state: signal.aborted ? 'cancelled' : 'done', result };
    } catch (error) {
      const cancelled = signal.aborted && codeOf(error) === 'ABORTED';
      end = cancelled ? { state: 'cancelled' } : { state: 'failed', error: viewOf(error) };
      if (codeOf(error) === undefined) this.#parts.onFailure(error);
    }
    const row = { ...running.row, ...end, ended: this.#parts.clock.wallTime() };
    this.#unsaved.set(row.id, row);
    const isSaved = await this.#save(row);
    this.#running.delete(row.id);
    tell(row);
    if (!isSaved) await this.#saveLater(row);
    await this.#parts.ended(row);
  }

  async #save(row: JobRow): Promise<boolean> {
    try {
      await this.#parts.store.save(row);
      this.#unsaved.delete(row.id);
      return true;
    } catch (error) {
      this.#parts.onFailure(error);
      return false;
    }
  }

  /** A gateway that stops first tries once more; else the job counts as interrupted when it starts again. */
  async #saveLater(row: JobRow): Promise<void> {
    const { signal } = this.#stopping;
    for (let isLast = false; !isLast;) {
      isLast = signal.aborted;
      if (!isLast) await sleep(this.#parts.clock, SAVE_AGAIN_MS, signal).catch(() => undefined);
      if (await this.#save(row)) return;
    }
  }
}

/** What is none of ours keeps its text to itself. */
function viewOf(error: unknown): { readonly code: string; readonly message: string } {
  const code = codeOf(error);
  return code === undefined
    ? { code: 'INTERNAL', message: 'The gateway failed on this job; its log says more.' }
    : { code, message: textOf(error) };
}
