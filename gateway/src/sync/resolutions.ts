import { recordOf, sameBytes, WhorlError } from '@whorl/protocol';
import type { ConflictState } from '../store/conflict-kinds.ts';
import type { Conflict, ConflictSide, ConflictWrite, StoredUser } from '../store/store.ts';
import { side } from './differences.ts';
import { nextVersion } from './former.ts';
import { haveInCommon } from './two-people.ts';

// What a user becomes when a conflict is decided, or the decision taken back. Pure: nothing is stored here.

/** A conflict and the user as the gateway holds it now. */
export interface Dispute {
  readonly conflict: Conflict;
  readonly held: StoredUser | undefined;
  /** Milliseconds UTC. */
  readonly now: number;
}

/**
 * The user with what the terminal holds in place of what the gateway held; with two people, the other one whole. Once what
 * another terminal has of that one was taken they are one person, and lose nothing of it.
 */
export function withTheirs({ conflict, held, now }: Dispute): StoredUser {
  const isOne = conflict.field !== undefined || isSame(held, conflict);
  const fields = new Map(isOne ? held?.record.fields : []);
  for (const [field, value] of conflict.theirs.record.fields) fields.set(field, value);
  return nextVersion(held, recordOf(conflict.user, fields), accepted(conflict, now));
}

/** Whether the user is the terminal's person by now: as they are, whatever they once were. */
function isSame(held: StoredUser | undefined, { terminal, theirs: { record } }: Conflict): boolean {
  if (held === undefined) return false;
  const { former: _, ...present } = held;
  return haveInCommon(present, { record, by: { origin: 'terminal', terminal, time: 0 } });
}

/** Who wrote the terminal's values, once an operator has accepted them. */
export function accepted({ terminal, theirs }: Conflict, now: number): StoredUser['provenance'] {
  return new Map(
    [...theirs.provenance].map(([field, { log }]) => [
      field,
      { origin: 'gateway', terminal, time: now, ...(log === undefined ? {} : { log }) },
    ]),
  );
}

/** What the terminal's values take the place of; `undefined` when there is no such user. */
export function replacedBy({ conflict, held }: Dispute): ConflictSide | undefined {
  if (held === undefined) return undefined;
  return side(held, conflict.field === undefined ? [...held.record.fields.keys()] : [conflict.field]);
}

/**
 * The user as it was before the terminal's values were accepted; `undefined` when there was none.
 * @throws WhorlError CONFLICT_CHANGED when what was accepted is not there any more
 */
export function withoutTheirs({ conflict, held }: Dispute): StoredUser | undefined {
  const { before, field, theirs, made } = conflict;
  const value = field === undefined ? undefined : theirs.record.fields.get(field);
  const current = field === undefined ? undefined : held?.record.fields.get(field);
  const stands =
    field === undefined
      ? held?.version === made
      : value !== undefined && current !== undefined && sameBytes(current, value);
  if (!stands)
    throw new WhorlError('CONFLICT_CHANGED', `user ${conflict.user} was changed since, or is not there`);
  if (before === undefined) return undefined;
  const fields = field === undefined ? new Map<number, Uint8Array>() : new Map(held?.record.fields);
  if (field !== undefined) fields.delete(field);
  for (const [number, old] of before.record.fields) fields.set(number, old);
  return nextVersion(held, recordOf(conflict.user, fields), before.provenance);
}

interface Decided {
  readonly state: Exclude<ConflictState, 'open'>;
  readonly now: number;
  readonly before?: ConflictSide | undefined;
  readonly made?: number | undefined;
  readonly newUser?: number | undefined;
  readonly handed?: number | undefined;
}

/** A conflict as it stands once it is decided, with the event that tells of it. */
export function resolved(conflict: Conflict, decided: Decided): ConflictWrite {
  const { state, now, before, made, newUser, handed } = decided;
  const { id, ...found } = conflict;
  return {
    id,
    from: conflict.state,
    conflict: {
      ...found,
      state,
      closed: now,
      ...(before === undefined ? {} : { before }),
      ...(made === undefined ? {} : { made }),
      ...(newUser === undefined ? {} : { newUser }),
      ...(handed === undefined ? {} : { handed }),
    },
    event: {
      ...envelope(conflict, now),
      type: 'conflict.resolved',
      data: {
        conflict: id,
        kind: conflict.kind,
        took: state,
        ...(newUser === undefined ? {} : { newUser }),
      },
    },
  };
}

/** A conflict that is open again, with the event that tells of it. */
export function reopened(conflict: Conflict, now: number): ConflictWrite {
  const { id, closed: _closed, made: _made, newUser: _newUser, before: _before, ...found } = conflict;
  return {
    id,
    from: conflict.state,
    conflict: { ...found, state: 'open' },
    event: {
      ...envelope(conflict, now),
      type: 'conflict.undone',
      data: { conflict: id, kind: conflict.kind },
    },
  };
}

function envelope(conflict: Conflict, now: number) {
  return { time: now, terminal: conflict.terminal, user: conflict.user, origin: 'gateway' } as const;
}
