/** `interrupted`: the gateway ended meanwhile. */
export const JOB_STATES = ['running', 'done', 'failed', 'cancelled', 'interrupted'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** Long work that somebody asked for. */
export interface JobRow {
  readonly id: number;
  /** `import`, `compare`. */
  readonly kind: string;
  readonly who: string;
  readonly state: JobState;
  /** Milliseconds UTC. */
  readonly began: number;
  /** Milliseconds UTC; absent while it runs. */
  readonly ended?: number;
  /** Steps done, of `total`. */
  readonly done: number;
  readonly total: number;
  /** What came of it, also of one that was cancelled; nothing secret. */
  readonly result?: unknown;
  /** Code and text of what made it fail. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** Jobs that run and that ended; the newest thousand. Errors as of the whole store. */
export interface JobStore {
  /** @returns its id */
  add(job: Omit<JobRow, 'id'>): Promise<number>;
  save(job: JobRow): Promise<void>;
  job(id: number): Promise<JobRow | undefined>;
  /** The newest, newest first. */
  list(limit: number): Promise<readonly JobRow[]>;
  /** Those that were running when the gateway ended are interrupted. */
  interrupt(time: number): Promise<void>;
}
