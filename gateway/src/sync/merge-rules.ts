import {
  ACCESS_GROUPS_MAX,
  accessGroups,
  credentialOf,
  decodeField,
  encodeField,
  FIELD_NAMES,
  FIELDS,
} from '@whorl/protocol';
import { fieldName } from '@whorl/protocol';
import type { FieldName } from '@whorl/protocol';
import { MERGE_POLICIES, SET_FIELDS } from '../settings/runtime.ts';
import type { MergePolicy, RuntimeSettings } from '../settings/runtime.ts';
import type { Provenance } from '../store/store.ts';

/** A field that a terminal holds otherwise than the gateway. */
export interface Pair {
  readonly field: number;
  /** `undefined` where the gateway holds nothing. */
  readonly ours: Uint8Array | undefined;
  readonly oursBy: Provenance | undefined;
  readonly theirs: Uint8Array;
  readonly theirsBy: Provenance;
}

/** What becomes of a pair: the value afterwards, and whether all that the terminal holds is in it. */
interface Taken {
  /** Never `undefined` where the gateway holds a value: a merge does not clear. */
  readonly value: Uint8Array | undefined;
  readonly whole: boolean;
}

interface PolicyRow {
  readonly doc: string;
  readonly take: (pair: Pair) => Taken;
}

/** What each policy does with a field that differs, as data. What is not taken whole is kept as a conflict. */
export const POLICIES: Readonly<Record<MergePolicy, PolicyRow>> = {
  'fill-vacant': {
    doc: 'Taken from the terminal when the gateway has none; never overwritten, never cleared.',
    take: (pair) => (pair.ours === undefined ? theirs(pair) : ours(pair)),
  },
  'terminal-wins': {
    doc: 'Taken from the terminal whenever it has one; never cleared.',
    take: theirs,
  },
  'gateway-wins': {
    doc: 'Never taken from a terminal, not even when the gateway has none.',
    take: ours,
  },
  'newest-wins': {
    doc: 'Whichever was written later; never cleared.',
    take: (pair) => (isNewer(pair) ? theirs(pair) : ours(pair)),
  },
  union: {
    doc: 'Both together; neither side loses any.',
    take: united,
  },
};

function ours(pair: Pair): Taken {
  return { value: pair.ours, whole: false };
}

function theirs(pair: Pair): Taken {
  return { value: pair.theirs, whole: true };
}

/**
 * Whether the terminal's value was written later. What a terminal holds now is newer than what it held before; between
 * others the times tell, and where these are equal the bytes, so that every order of merging ends the same.
 */
function isNewer(pair: Pair): boolean {
  const { oursBy, theirsBy } = pair;
  if (pair.ours === undefined || oursBy === undefined) return true;
  if (oursBy.origin === 'terminal' && oursBy.terminal === theirsBy.terminal) return true;
  if (oursBy.time !== theirsBy.time) return theirsBy.time > oursBy.time;
  return Buffer.compare(pair.theirs, pair.ours) > 0;
}

/** Both sets in one; ours when that would be more than a user can have. */
function united(pair: Pair): Taken {
  if (pair.ours === undefined) return theirs(pair);
  if (pair.field !== FIELDS.groups.number) return ours(pair);
  const both = new Set([...decodeField('groups', pair.ours), ...decodeField('groups', pair.theirs)]);
  if (both.size > ACCESS_GROUPS_MAX) return ours(pair);
  return { value: encodeField('groups', accessGroups(both)), whole: true };
}

/** One row of the table of merge rules. */
export interface MergeRule {
  readonly field: FieldName;
  readonly policy: MergePolicy;
  /** What it was chosen with: for this field, for its kind, or not at all. */
  readonly chosen: 'field' | 'kind' | 'default';
  /** Policies that can be chosen. */
  readonly allowed: readonly MergePolicy[];
  readonly doc: string;
}

/** The table of merge rules that these settings make: a row for each field. */
export function mergeRules(chosen: RuntimeSettings['merge']): readonly MergeRule[] {
  return FIELD_NAMES.map((field) => {
    const kind = credentialOf(FIELDS[field].number)?.kind;
    const policy = policyOf(chosen, FIELDS[field].number);
    return {
      field,
      policy,
      chosen:
        chosen[field] !== undefined
          ? 'field'
          : kind !== undefined && chosen[kind] !== undefined
            ? 'kind'
            : 'default',
      allowed: MERGE_POLICIES.filter((one) => one !== 'union' || SET_FIELDS.includes(field)),
      doc: POLICIES[policy].doc,
    };
  });
}

/** The policy of a field: its own, else that of its kind, else `fill-vacant`; fields of later releases have the last. */
export function policyOf(chosen: RuntimeSettings['merge'], field: number): MergePolicy {
  const name = fieldName(field);
  const kind = credentialOf(field)?.kind;
  return (
    (name === undefined ? undefined : chosen[name]) ??
    (kind === undefined ? undefined : chosen[kind]) ??
    'fill-vacant'
  );
}
