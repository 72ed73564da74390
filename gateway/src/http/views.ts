import { accessGroups, decodeField, FIELD_NAMES, FIELDS, isFieldName, showField } from '@whorl/protocol';
import type { FieldName } from '@whorl/protocol';
import { z } from 'zod';
import type { StoredUser, UserSummary } from '../store/store.ts';
import type { UserEdit } from '../sync/operations.ts';

const day = z
  .string()
  .refine(
    (text) => text === '' || !Number.isNaN(Date.parse(text)),
    'a date such as 2026-01-31, or 2026-01-31T18:00Z',
  );
const cardNumber = z.string().regex(/^([0-9a-f]{2}){1,32}$/i, 'a card number in hex, such as 04A1B2C3');
const AUTH = FIELDS.authMode.codec.names;

/** A user as people write it: what is given is set, what is in `clear` is cleared. */
export const userEditSchema = z.strictObject({
  name: z.string().min(1).max(64).optional(),
  validFrom: day.optional(),
  validUntil: day.optional(),
  auth: z.enum(Object.keys(AUTH) as [keyof typeof AUTH]).optional(),
  groups: z.array(z.int().min(1).max(65_535)).max(32).optional(),
  cards: z
    .record(
      z.string().regex(/^[0-7]$/, 'a card slot, 0 to 7'),
      z.strictObject({ format: z.int().min(0).max(255).default(1), number: cardNumber }),
    )
    .optional(),
  clear: z.array(z.string().refine(isFieldName, 'a field name; `whorl merge-rules` lists them')).default([]),
});

export type UserEditView = z.input<typeof userEditSchema>;

/** What people wrote, as the gateway takes it. */
export function editOf(
  view: Omit<z.output<typeof userEditSchema>, 'clear'> & { readonly clear: readonly string[] },
): UserEdit {
  const { name, validFrom, validUntil, auth, groups, cards = {} } = view;
  const validity =
    validFrom === undefined && validUntil === undefined
      ? undefined
      : { from: seconds(validFrom), until: seconds(validUntil) };
  const slots = Object.entries(cards).map(([slot, card]) => [
    `card.${slot}`,
    { format: card.format, number: Buffer.from(card.number, 'hex') },
  ]);
  return {
    set: {
      name,
      validity,
      authMode: auth,
      groups: groups === undefined ? undefined : accessGroups(groups),
      ...(Object.fromEntries(slots) as Record<string, UserEdit['set']['card.0']>),
    },
    clear: view.clear.filter((field): field is FieldName => isFieldName(field)),
  };
}

function seconds(text: string | undefined): number {
  return text === undefined || text === '' ? 0 : Math.floor(Date.parse(text) / 1000);
}

const shownTime = z.string().describe('ISO 8601, UTC.');

/** A user for people: nothing secret. */
export const userViewSchema = z.strictObject({
  id: z.int(),
  version: z.int(),
  name: z.string(),
  validFrom: shownTime.optional(),
  validUntil: shownTime.optional(),
  auth: z.string().optional(),
  groups: z.array(z.int()).readonly(),
  cards: z
    .record(z.string(), z.strictObject({ format: z.int(), number: z.string() }))
    .describe('By slot; numbers in hex.'),
  credentials: z
    .array(z.strictObject({ field: z.string(), format: z.int(), quality: z.int() }))
    .readonly()
    .describe('Those that are held; never templates.'),
  fields: z
    .array(
      z.strictObject({
        field: z.string(),
        origin: z.string(),
        terminal: z.string().optional(),
        time: shownTime,
      }),
    )
    .readonly()
    .describe('Who wrote each field last.'),
});
export type UserView = z.infer<typeof userViewSchema>;

export function userView(id: number, user: StoredUser): UserView {
  const get = <Name extends FieldName>(name: Name) => {
    const bytes = user.record.fields.get(FIELDS[name].number);
    return bytes === undefined ? undefined : decodeField(name, bytes);
  };
  const validity = get('validity');
  const auth = get('authMode');
  return {
    id,
    version: user.version,
    name: get('name') ?? '',
    ...(validity === undefined || validity.from === 0 ? {} : { validFrom: iso(validity.from) }),
    ...(validity === undefined || validity.until === 0 ? {} : { validUntil: iso(validity.until) }),
    ...(auth === undefined ? {} : { auth }),
    groups: get('groups') ?? [],
    cards: cardsOf(user),
    credentials: credentialsOf(user),
    fields: [...user.provenance].map(([number, { origin, terminal, time }]) => ({
      field: showField(number),
      origin,
      ...(terminal === undefined ? {} : { terminal }),
      time: new Date(time).toISOString(),
    })),
  };
}

function cardsOf(user: StoredUser): UserView['cards'] {
  const cards: Record<string, { format: number; number: string }> = {};
  for (const name of FIELD_NAMES) {
    const bytes = user.record.fields.get(FIELDS[name].number);
    if (bytes === undefined || !name.startsWith('card.')) continue;
    const { format, number } = decodeField('card.0', bytes);
    cards[name.slice(5)] = { format, number: Buffer.from(number).toString('hex') };
  }
  return cards;
}

function credentialsOf(user: StoredUser): UserView['credentials'] {
  return FIELD_NAMES.flatMap((name) => {
    const bytes = user.record.fields.get(FIELDS[name].number);
    if (bytes === undefined || !/^(finger|face)\./.test(name)) return [];
    return [{ field: name, format: bytes[0] ?? 0, quality: bytes[1] ?? 0 }];
  });
}

function iso(secondsUtc: number): string {
  return new Date(secondsUtc * 1000).toISOString();
}

/** A line of a list of users: nothing secret. */
export const summaryViewSchema = z.strictObject({
  id: z.int(),
  name: z.string(),
  version: z.int(),
  groups: z.array(z.int()).readonly(),
  fields: z.array(z.string()).readonly(),
  changed: shownTime,
});

export function summaryView(user: UserSummary): z.infer<typeof summaryViewSchema> {
  const { id, name, version, groups, fields, changed } = user;
  return {
    id,
    name,
    version,
    groups,
    fields: fields.map(showField),
    changed: new Date(changed).toISOString(),
  };
}
