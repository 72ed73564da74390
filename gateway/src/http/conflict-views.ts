import { decodeField, fieldDigest, fieldName, isSecretField, recordOf, showField } from '@whorl/protocol';
import type { FieldName } from '@whorl/protocol';
import { z } from 'zod';
import { CONFLICT_KINDS, CONFLICT_STATES } from '../store/conflict-kinds.ts';
import type { Conflict, ConflictSide, ConflictSummary, StoredUser } from '../store/store.ts';
import { side } from '../sync/differences.ts';

const time = z.iso.datetime();

/** A line of a list of conflicts: nothing secret. */
export const conflictSummarySchema = z.strictObject({
  id: z.int(),
  user: z.int(),
  kind: z.enum(CONFLICT_KINDS),
  field: z.string().optional(),
  terminal: z.string().describe('Where it was seen.'),
  state: z.enum(CONFLICT_STATES),
  opened: time,
  closed: time.optional(),
  newUser: z.int().optional().describe('The id that the terminal’s person has now.'),
});

const field = z.strictObject({
  field: z.string(),
  value: z.string().optional().describe('Of a field that may be shown.'),
  bytes: z.int(),
  digest: z.string().describe('The first bytes of its digest, in hex: enough to tell two apart.'),
  origin: z.enum(['terminal', 'gateway']).optional(),
  terminal: z.string().optional(),
  time: time.optional(),
  log: z.int().optional().describe('The terminal’s log record that led to it.'),
});

export const conflictViewSchema = conflictSummarySchema.extend({
  reasons: z.array(z.string()).describe('Fields that contradict, of two people.'),
  ours: z.array(field).describe('As the gateway held it when the conflict was opened.'),
  theirs: z.array(field),
  now: z.array(field).describe('The same fields as the gateway holds them now.'),
});

export type ConflictSummaryView = z.output<typeof conflictSummarySchema>;
/** One field of one side, and who wrote it. */
export type ConflictFieldView = z.output<typeof field>;
export type ConflictView = z.output<typeof conflictViewSchema>;

const DIGEST_SHOWN = 4;

export function conflictSummaryView(conflict: ConflictSummary): ConflictSummaryView {
  const { id, user, kind, field, terminal, state, opened, closed, newUser } = conflict;
  return {
    id,
    user,
    kind,
    ...(field === undefined ? {} : { field: showField(field) }),
    terminal,
    state,
    opened: new Date(opened).toISOString(),
    ...(closed === undefined ? {} : { closed: new Date(closed).toISOString() }),
    ...(newUser === undefined ? {} : { newUser }),
  };
}

/** A conflict with both sides; never templates. @param held the user as the gateway holds it now */
export function conflictView(conflict: Conflict, held: StoredUser | undefined): ConflictView {
  const fields = new Set([...conflict.ours.record.fields.keys(), ...conflict.theirs.record.fields.keys()]);
  const nobody = { record: recordOf(conflict.user, []), provenance: new Map() };
  return {
    ...conflictSummaryView(conflict),
    reasons: conflict.reasons.map(showField),
    ours: sideView(conflict.ours),
    theirs: sideView(conflict.theirs),
    now: sideView(held === undefined ? nobody : side(held, [...fields])),
  };
}

function sideView({ record, provenance }: ConflictSide): ConflictFieldView[] {
  return [...record.fields].map(([number, value]) => {
    const shown = shownValue(number, value);
    const by = provenance.get(number);
    return {
      field: showField(number),
      ...(shown === undefined ? {} : { value: shown }),
      bytes: value.length,
      digest: Buffer.from(fieldDigest(number, value)).toString('hex', 0, DIGEST_SHOWN),
      ...(by === undefined ? {} : { origin: by.origin, time: new Date(by.time).toISOString() }),
      ...(by?.terminal === undefined ? {} : { terminal: by.terminal }),
      ...(by?.log === undefined ? {} : { log: by.log }),
    };
  });
}

/** A value for people; `undefined` for what must not be shown. */
function shownValue(number: number, value: Uint8Array): string | undefined {
  const name = fieldName(number);
  if (name === undefined || isSecretField(number)) return undefined;
  return inWords(name, value);
}

function inWords(name: FieldName, value: Uint8Array): string | undefined {
  switch (name) {
    case 'name':
      return decodeField(name, value);
    case 'authMode':
      return decodeField(name, value);
    case 'groups':
      return decodeField(name, value).join(', ') || 'none';
    case 'validity': {
      const { from, until } = decodeField(name, value);
      return `${day(from) ?? 'always'} until ${day(until) ?? 'for ever'}`;
    }
    default: {
      if (!name.startsWith('card.')) return undefined;
      const { format, number } = decodeField('card.0', value);
      return `format ${format}, number ${Buffer.from(number).toString('hex')}`;
    }
  }
}

function day(seconds: number): string | undefined {
  return seconds === 0 ? undefined : new Date(seconds * 1000).toISOString();
}
