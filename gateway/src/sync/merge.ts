import { fieldDigest, recordOf, sameBytes } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { Provenance, StoredUser } from '../store/store.ts';
import { policyOf, POLICIES } from './merge-rules.ts';

/** What the gateway holds, as far as a merge looks at it. */
export type Held = Pick<StoredUser, 'record' | 'provenance' | 'former'>;

/** What a terminal holds. */
export interface Incoming {
  readonly record: UserRecord;
  /** Where it comes from: terminal, when, which log. */
  readonly by: Provenance;
  /** The gateway's version that this terminal was last seen to hold; absent when it never did, or not any more. */
  readonly delivered?: number | undefined;
}

/** What becomes of one field. */
type Outcome = 'same' | 'filled' | 'replaced' | 'conflict' | 'stale';

/** What became of a merge; fields by number. */
export interface Merged {
  readonly record: UserRecord;
  readonly provenance: ReadonlyMap<number, Provenance>;
  /** Were vacant and are filled now. */
  readonly filled: readonly number[];
  /** Were held and have another value now. */
  readonly replaced: readonly number[];
  /** Differ and were not taken whole. */
  readonly conflicts: readonly number[];
  /** Are what the gateway held before, at a terminal that has not got the newer yet: nobody's change. */
  readonly stale: readonly number[];
}

/**
 * Merges what a terminal holds into what the gateway holds, field by field, as the policies say (merge-rules.ts). A
 * field that the terminal lacks stays as it is: a merge never clears.
 * @param held `undefined` when the gateway does not know the user
 */
export function merge(
  held: Held | undefined,
  incoming: Incoming,
  policies: RuntimeSettings['merge'] = {},
): Merged {
  const fields = new Map(held?.record.fields);
  const provenance = new Map(held?.provenance);
  const outcomes: Record<Outcome, number[]> = { same: [], filled: [], replaced: [], conflict: [], stale: [] };
  for (const [field, value] of incoming.record.fields) {
    const [outcome, next] = mergeField(held, incoming, policies, [field, value]);
    outcomes[outcome].push(field);
    if (next !== undefined) fields.set(field, next);
    if (next !== undefined || (outcome === 'same' && isRenewed(held, incoming, policies, field)))
      provenance.set(field, incoming.by);
  }
  const { filled, replaced, conflict: conflicts, stale } = outcomes;
  const grown = held === undefined || filled.length + replaced.length > 0;
  const record = grown ? recordOf(incoming.record.id, fields) : held.record;
  return { record, provenance, filled, replaced, conflicts, stale };
}

/** Where the newest wins, a value that was written again is as new as that: else the order of merging would matter. */
function isRenewed(
  held: Held | undefined,
  { by }: Incoming,
  policies: RuntimeSettings['merge'],
  field: number,
): boolean {
  const known = held?.provenance.get(field);
  return policyOf(policies, field) === 'newest-wins' && known !== undefined && by.time > known.time;
}

/** @returns what becomes of a field, and its value when it is another one than before */
function mergeField(
  held: Held | undefined,
  incoming: Incoming,
  policies: RuntimeSettings['merge'],
  [field, theirs]: readonly [number, Uint8Array],
): readonly [Outcome, Uint8Array?] {
  const ours = held?.record.fields.get(field);
  if (ours !== undefined && sameBytes(ours, theirs)) return ['same'];
  const age = ageOf(held, incoming, field);
  if (age === 'former') return ['stale'];
  if (age === 'unsure') return ['conflict'];
  const pair = {
    field,
    ours,
    oursBy: held?.provenance.get(field),
    theirs,
    theirsBy: incoming.by,
  };
  const { value, whole } = POLICIES[policyOf(policies, field)].take(pair);
  const kept = value === undefined || (ours !== undefined && sameBytes(value, ours));
  if (kept) return [whole ? 'same' : 'conflict'];
  return [ours === undefined ? 'filled' : 'replaced', value];
}

/**
 * Whether a terminal's value of a field is a change made there, or only what the gateway itself held before and has
 * replaced or cleared since: a card that was blocked must not come back from a terminal that was away. `unsure`: it is
 * such a value, and it is not known what the terminal has got from the gateway.
 */
export function ageOf(
  held: Held | undefined,
  { record, delivered }: Incoming,
  field: number,
): 'new' | 'former' | 'unsure' {
  const formers = held?.former?.get(field);
  const value = record.fields.get(field);
  if (formers === undefined || value === undefined) return 'new';
  const digest = fieldDigest(field, value);
  const until = Math.max(
    ...formers.filter((one) => sameBytes(one.digest, digest)).map((one) => one.until),
    0,
  );
  if (until === 0) return 'new';
  if (delivered === undefined) return 'unsure';
  return delivered < until ? 'former' : 'new';
}
