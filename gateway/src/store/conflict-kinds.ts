import type { CredentialKind, FieldName } from '@whorl/protocol';

/** What a conflict is about: two people under one id, or one field, by its kind. */
export const CONFLICT_KINDS = [
  'two-people',
  'card',
  'finger',
  'face',
  'name',
  'validity',
  'pin',
  'authMode',
  'groups',
  'photo',
  'other',
] as const satisfies readonly (
  'two-people' | CredentialKind | Exclude<FieldName, `${CredentialKind}.${number}`> | 'other'
)[];
export type ConflictKind = (typeof CONFLICT_KINDS)[number];

/** `open` until somebody decides; then what was taken. `new-id`: the terminal's became a person of their own. */
export const CONFLICT_STATES = ['open', 'ours', 'theirs', 'new-id'] as const;
export type ConflictState = (typeof CONFLICT_STATES)[number];

/**
 * Conflicts that were decided are kept for undoing and for the record: for so many days, the newest
 * {@link MOST_DECIDED} of them. Open ones are never dropped.
 */
export const DECIDED_DAYS = 400;
export const MOST_DECIDED = 10_000;
