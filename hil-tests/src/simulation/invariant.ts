import type { Played } from './run.ts';

/** What had happened by a moment. */
export interface Counts {
  /** Users written to terminals. */
  readonly writes: number;
  /** Versions that users got, and deletions. */
  readonly changes: number;
  readonly merges: number;
  /** Users that comparisons sent and fetched. */
  readonly compared: number;
  /** Users whom terminals did not take because they cannot hold them. */
  readonly refused: number;
}

/** Something that must be true of a site at rest, whatever was done. */
export interface Invariant {
  readonly name: string;
  /** @throws Error naming what is not as it must be */
  readonly check: (run: Played, quiet: Quiet) => Promise<void> | void;
}

/** A site at rest. */
export interface Quiet {
  /** Users that the gateway holds. */
  readonly held: ReadonlySet<number>;
  /** What had happened before the round that ended, and by now; `undefined` when only the state matters. */
  readonly counts: { readonly before: Counts; readonly now: Counts } | undefined;
}
