import type { TimelineRow } from '../rig/timeline.ts';

/** What came of one behaviour on a rig. */
export interface Result {
  readonly suite: string;
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'left-out';
  readonly ms: number;
  /** Why it failed or was left out. */
  readonly reason?: string;
  /** Where it failed: stack, without the files of others. */
  readonly stack?: string;
  /** What the lines said last, when it failed; secrets masked. */
  readonly timeline?: readonly TimelineRow[];
}

/** A run of the kit. */
export interface Run {
  /** Path of the rig file, as it was given. */
  readonly rig: string;
  /** ISO 8601 UTC. */
  readonly began: string;
  readonly ms: number;
  readonly results: readonly Result[];
  /** What went wrong outside of behaviours: a file that cannot be loaded, an error that nobody awaited. */
  readonly errors: readonly string[];
  /** Whether somebody ended it before its end. */
  readonly interrupted: boolean;
}

export function count({ results }: Run, state: Result['state']): number {
  return results.filter((one) => one.state === state).length;
}

/** Whether all that ran held, and something ran. */
export function succeeded(run: Run): boolean {
  return (
    !run.interrupted && run.errors.length === 0 && count(run, 'failed') === 0 && count(run, 'passed') > 0
  );
}
