import { LOG_KINDS } from '@whorl/protocol';
import type { LogRecord } from '@whorl/protocol';
import { DOUBTS } from '../events/catalogue.ts';
import type { Doubt, EventData, EventType, NewEvent } from '../events/catalogue.ts';
import type { LogPosition } from '../store/store.ts';
import type { Identity, LogPage } from '../terminals/driver.ts';

// What makes it doubtful what a terminal holds.

/** Events that come with a doubt. */
const RAISES_DOUBT: readonly EventType[] = [
  'terminal.log.gap',
  'terminal.log.cleared',
  'terminal.clock.wrong',
];

/** A clock that is off by no more than this is drift, and sets no doubt. */
export const CLOCK_TOLERANCE_MS = 60_000;

type GapCause = EventData<'terminal.log.gap'>['cause'];

/** Records that were lost before they could be read. */
export interface Gap {
  readonly cause: GapCause;
  /** Id of the next record that is there. */
  readonly first: number;
}

export const GAP_REASONS: Readonly<Record<GapCause, string>> = {
  overwritten: 'records were overwritten before they could be read',
  cleared: 'the log was cleared before it was read',
  reset: 'the terminal, or its log, was reset',
  backwards: 'the log ends before what was read of it: the terminal went back to an older state',
};

/** Of two doubts the one that trusts less: they are listed by how much they leave. */
export function graver(one: Doubt | undefined, other: Doubt | undefined): Doubt | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return DOUBTS.indexOf(one) >= DOUBTS.indexOf(other) ? one : other;
}

/** Whether a terminal in this doubt began anew, or may have lost what was written to it, so that nothing that was delivered is trusted to be there. */
export function beganAnew(doubt: Doubt): boolean {
  return (
    doubt === 'unseen' ||
    doubt === 'new' ||
    doubt === 'reset' ||
    doubt === 'replaced' ||
    doubt === 'backwards'
  );
}

/** Whether a terminal in this doubt may hold what it held before. */
export function wentBack(doubt: Doubt): boolean {
  return doubt === 'unseen' || doubt === 'backwards';
}

export function isReasonToDoubt({ type }: NewEvent): boolean {
  return RAISES_DOUBT.some((one) => one === type);
}

/** A terminal that comes with users tells of them in no log: nothing may be put in their place before it was looked at. */
export function newcomer({ users }: Identity): Doubt | undefined {
  return users > 0 ? 'new' : undefined;
}

/** Whether the log began anew, so that it is read from its first record. */
export function startsOver(position: LogPosition, page: LogPage): 'reset' | 'backwards' | undefined {
  if (page.log.epoch !== position.epoch) return 'reset';
  return page.log.last < position.id || isOther(position, page) ? 'backwards' : undefined;
}

/**
 * Whether the record that was read last is another one by now: the terminal went back to an older state and has written
 * on from there, up to the same id or beyond.
 */
function isOther({ id, time }: LogPosition, { records }: LogPage): boolean {
  const again = records.find((record) => record.id === id);
  return again !== undefined && time !== undefined && again.time !== time;
}

/** After which record to read, so that the page shows whether the one that was read last {@link isOther}. */
export function sameUpTo({ id, time }: LogPosition): number {
  return time === undefined ? id : id - 1;
}

/** What of a page was not read before. */
export function pageBehind({ id }: LogPosition, page: LogPage): LogPage {
  const records = page.records.filter((record) => record.id > id);
  return records.length === page.records.length ? page : { ...page, records };
}

/** The records between what was read and what is there. */
export function gapIn(position: LogPosition, { records, log }: LogPage): Gap | undefined {
  const [next] = records;
  const first = next?.id ?? log.last + 1;
  if (first <= position.id + 1) return undefined;
  const cleared = next === undefined || next.code === LOG_KINDS['log.cleared'].code;
  return { cause: cleared ? 'cleared' : 'overwritten', first };
}

/**
 * By how much the clock was wrong when these records were written, as far as they show it: one was written later than
 * now, or earlier than the one before it, or somebody set the clock by much.
 * @returns milliseconds, positive is ahead
 */
export function clockFault(records: readonly LogRecord[], now: number): number | undefined {
  let before: LogRecord | undefined;
  for (const record of records) {
    const ahead = record.time - now;
    if (ahead > CLOCK_TOLERANCE_MS) return Math.round(ahead);
    const isSet = record.code === LOG_KINDS['terminal.clock.set'].code;
    if (isSet && record.origin === 'terminal' && record.detail * 1000 > CLOCK_TOLERANCE_MS)
      return record.detail * 1000 * (before !== undefined && record.time < before.time ? -1 : 1);
    const back = before === undefined || isSet ? 0 : record.time - before.time;
    if (back < -CLOCK_TOLERANCE_MS) return Math.round(back);
    before = record;
  }
  return undefined;
}

export function clockEvent(terminal: string, offMs: number, time: number): NewEvent {
  const reason = `it was ${(Math.abs(offMs) / 1000).toFixed(0)} s ${offMs > 0 ? 'ahead' : 'behind'}`;
  return { type: 'terminal.clock.wrong', time, terminal, data: { offMs, reason } };
}
