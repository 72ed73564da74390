import { FIELD_NAMES } from '@whorl/protocol';
import type { FieldName } from '@whorl/protocol';

/** What a merge does with a field that both sides have. */
export type MergePolicy = 'fill-vacant';

/** One row of the table of merge rules. */
export interface MergeRule {
  readonly field: FieldName;
  readonly policy: MergePolicy;
  readonly doc: string;
}

/**
 * The rule for each field, written once. `fill-vacant`: what the gateway holds stays; what it lacks is taken from the
 * terminal; nothing is ever cleared.
 */
export const MERGE_RULES: readonly MergeRule[] = FIELD_NAMES.map((field) => ({
  field,
  policy: 'fill-vacant',
  doc: 'Taken from the terminal when the gateway has none; never overwritten, never cleared.',
}));
