import { recordOf, sameBytes } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';

/** What became of a merge. */
export interface Merged {
  readonly record: UserRecord;
  /** Numbers of the fields that were vacant and are filled now. */
  readonly filled: readonly number[];
  /** Numbers of the fields that differ and were kept as the gateway has them. */
  readonly kept: readonly number[];
}

/**
 * Merges what a terminal holds into what the gateway holds, field by field, by the table in merge-rules.ts. Fields of
 * later releases follow the same rule.
 * @param held `undefined` when the gateway does not know the user
 */
export function merge(held: UserRecord | undefined, incoming: UserRecord): Merged {
  if (held === undefined) return { record: incoming, filled: [...incoming.fields.keys()], kept: [] };
  const filled: number[] = [];
  const kept: number[] = [];
  for (const [number, value] of incoming.fields) {
    const mine = held.fields.get(number);
    if (mine === undefined) filled.push(number);
    else if (!sameBytes(mine, value)) kept.push(number);
  }
  if (filled.length === 0) return { record: held, filled, kept };
  const taken = filled.map((number) => [number, incoming.fields.get(number) ?? new Uint8Array()] as const);
  return { record: recordOf(held.id, [...held.fields, ...taken]), filled, kept };
}
