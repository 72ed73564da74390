import type { Cursor, Run, Stream } from '../store/sites.ts';

// Whether a cursor that one gateway keeps fits the log that the other one has.

/** A gateway's history: its runs, oldest first, and where its logs end now. */
export interface History {
  readonly runs: readonly Run[];
  readonly heads: Readonly<Record<Stream, number>>;
}

/** Where to go on in a log. */
export interface Resumed {
  readonly seq: number;
  /** The log went back behind the cursor: a backup was restored, and what lay behind is not in it any more. */
  readonly lost: boolean;
}

/** Whether all users of a master have come once. @param walk where the walk through them stands */
export function isWalked(walk: Cursor | undefined): boolean {
  return walk !== undefined && walk.seq <= 1;
}

/** Where to go on behind a cursor; at the beginning without one. */
export function resumeAt(history: History, stream: Stream, cursor: Cursor | undefined): Resumed {
  if (cursor === undefined) return { seq: 0, lost: false };
  const { runs } = history;
  const index = runs.findLastIndex(({ id }) => id === cursor.run);
  if (index < 0) return { seq: 0, lost: true };
  const end = endOf(history, stream, index);
  return cursor.seq > end ? { seq: end, lost: true } : { seq: cursor.seq, lost: false };
}

/** The cursor that stands behind `seq`. */
export function cursorAt(history: History, stream: Stream, seq: number): Cursor {
  const index = runIndex(history, stream, seq);
  return { run: history.runs[index]?.id ?? '', seq };
}

/** Up to which position all belongs to the run of what comes behind `seq`. */
export function runEnd(history: History, stream: Stream, seq: number): number {
  return endOf(history, stream, runIndex(history, stream, seq + 1));
}

function runIndex({ runs }: History, stream: Stream, seq: number): number {
  return Math.max(
    runs.findLastIndex((run) => beginOf(run, stream) < seq),
    0,
  );
}

function endOf({ runs, heads }: History, stream: Stream, index: number): number {
  const next = runs[index + 1];
  return next === undefined ? heads[stream] : beginOf(next, stream);
}

function beginOf(run: Run, stream: Stream): number {
  return { users: run.seq, events: run.event, holdings: run.holding }[stream];
}
