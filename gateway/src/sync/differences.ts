import {
  credentialOf,
  fieldName,
  FIELDS,
  recordOf,
  sameBytes,
  showField,
  writeRecord,
} from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { ConflictKind } from '../store/conflict-kinds.ts';
import type { Conflict, ConflictSide, ConflictWrite, Provenance } from '../store/store.ts';
import type { Held, Incoming, Merged } from './merge.ts';

/** What the conflicts of a user become when a terminal's record was looked at. */
interface Looked {
  readonly user: number;
  readonly terminal: string;
  readonly held: Held | undefined;
  readonly incoming: Incoming;
  /** All conflicts of this user so far. */
  readonly known: readonly Conflict[];
  /** Milliseconds UTC. */
  readonly now: number;
}

/** What kind of conflict a field's difference is. */
export function kindOf(field: number): ConflictKind {
  const name = fieldName(field);
  if (name === undefined) return 'other';
  return credentialOf(field)?.kind ?? (name as ConflictKind);
}

/**
 * The conflicts that a merge leads to: one for each field that it did not take whole. The same difference seen again
 * makes no second one, wherever it is seen; another value from the same terminal takes the place of the one before.
 */
export function fieldConflicts(looked: Looked, merged: Merged): ConflictWrite[] {
  return merged.conflicts.flatMap((field) => {
    const theirs = side(looked.incoming, [field]);
    const about = looked.known.filter((one) => one.field === field);
    const ours = looked.held === undefined ? nobody(looked.user) : side(looked.held, [field]);
    const seen = about.some((one) => same(one.theirs, theirs) && (isOpen(one) || settledSo(one, ours)));
    if (seen) return [];
    const conflict = { user: looked.user, kind: kindOf(field), field, terminal: looked.terminal } as const;
    return [opening(looked, about, { ...conflict, reasons: [], ours, theirs })];
  });
}

/** The conflict that two people under one id lead to: all that the terminal holds is kept apart. */
export function peopleConflict(looked: Looked, reasons: readonly number[]): ConflictWrite[] {
  const theirs = side(looked.incoming, [...looked.incoming.record.fields.keys()]);
  const about = looked.known.filter(
    (one) => one.kind === 'two-people' && one.terminal === looked.terminal && takesPlaceOf(looked, one),
  );
  if (about.some((one) => isOpen(one) && same(one.theirs, theirs))) return [];
  const ours = looked.held === undefined ? nobody(looked.user) : side(looked.held, reasons);
  const conflict = { user: looked.user, kind: 'two-people', terminal: looked.terminal } as const;
  return [opening(looked, about, { ...conflict, reasons, ours, theirs })];
}

/**
 * What a portable terminal has sent it holds no more: what it brings next may be of somebody else, or without that.
 */
function takesPlaceOf({ incoming }: Looked, { theirs }: Conflict): boolean {
  if (incoming.by.task === undefined) return true;
  const fields = [...theirs.record.fields.keys()];
  const tell = fields.filter((field) => field === FIELDS.name.number || credentialOf(field) !== undefined);
  return (
    fields.every((field) => incoming.record.fields.has(field)) &&
    tell.some((field) => isThere(incoming, theirs, field))
  );
}

/**
 * Whether a terminal that contradicts no more has shown that nobody is held apart there: it holds all of one user, who
 * takes the place of whom it held before. One that has sent somebody, as portable ones do, may have got the gateway's
 * user since: only they themselves, seen again, tell of them.
 */
export function isOver({ incoming }: Pick<Looked, 'incoming'>, { theirs }: Conflict): boolean {
  const isSent = [incoming.by, ...theirs.provenance.values()].some(({ task }) => task !== undefined);
  return !isSent || [...theirs.record.fields.keys()].every((field) => isThere(incoming, theirs, field));
}

function isThere(incoming: Incoming, theirs: ConflictSide, field: number): boolean {
  const [now, then] = [incoming.record.fields.get(field), theirs.record.fields.get(field)];
  return now !== undefined && then !== undefined && sameBytes(now, then);
}

function opening(
  { terminal, now }: Looked,
  about: readonly Conflict[],
  found: Omit<Conflict, 'id' | 'state' | 'opened'>,
): ConflictWrite {
  const before = about.find((one) => isOpen(one) && one.terminal === terminal);
  const fields = found.field === undefined ? found.reasons : [found.field];
  return {
    conflict: { ...found, state: 'open', opened: now },
    ...(before === undefined ? {} : { id: before.id, from: 'open' as const }),
    event: {
      type: 'conflict.opened',
      time: now,
      terminal,
      user: found.user,
      origin: 'terminal',
      data: { conflict: 0, kind: found.kind, fields: fields.map(showField) },
    },
  };
}

function isOpen(conflict: Conflict): boolean {
  return conflict.state === 'open';
}

/** It was decided for ours, and ours is still the same. */
function settledSo(conflict: Conflict, ours: ConflictSide): boolean {
  return conflict.state === 'ours' && same(conflict.ours, ours);
}

function same(a: ConflictSide, b: ConflictSide): boolean {
  return sameBytes(writeRecord(a.record), writeRecord(b.record));
}

/** These fields of a record, with who wrote them. */
export function side(of: Held | Incoming, fields: readonly number[]): ConflictSide {
  const held = new Map<number, Uint8Array>();
  const provenance = new Map<number, Provenance>();
  for (const field of fields) {
    const value = of.record.fields.get(field);
    const by = 'by' in of ? of.by : of.provenance.get(field);
    if (value === undefined) continue;
    held.set(field, value);
    if (by !== undefined) provenance.set(field, by);
  }
  return { record: recordOf(of.record.id, held), provenance };
}

function nobody(user: number): ConflictSide {
  const record: UserRecord = { id: user, fields: new Map() };
  return { record, provenance: new Map() };
}
