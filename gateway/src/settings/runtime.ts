import { FIELD_NAMES } from '@whorl/protocol';
import type { CredentialKind, FieldName } from '@whorl/protocol';
import { z } from 'zod';

/** What a merge can do with a field; what each means stands in sync/merge-rules.ts. */
export const MERGE_POLICIES = [
  'fill-vacant',
  'terminal-wins',
  'gateway-wins',
  'newest-wins',
  'union',
] as const;
export type MergePolicy = (typeof MERGE_POLICIES)[number];

/** What a policy can be chosen for: all slots of a kind, or one field. */
export type MergeKey = FieldName | CredentialKind;
const KINDS: readonly CredentialKind[] = ['card', 'finger', 'face'];
export const MERGE_KEYS: readonly MergeKey[] = [...FIELD_NAMES, ...KINDS];

/** Fields that are sets, so that two values have a union. */
export const SET_FIELDS: readonly MergeKey[] = ['groups'];

const mergeSchema = z
  .partialRecord(z.enum(MERGE_KEYS), z.enum(MERGE_POLICIES))
  .refine(
    (chosen) => Object.entries(chosen).every(([key, policy]) => policy !== 'union' || isSet(key)),
    `union is for sets: ${SET_FIELDS.join(', ')}`,
  );

function isSet(key: string): boolean {
  return SET_FIELDS.some((one) => one === key);
}

/** What can be changed while the gateway runs; kept in its database, so that a restart does not bring back old values. */
export const runtimeSettingsSchema = z.strictObject({
  autoSync: z
    .enum(['off', 'all', 'all-with-device-updates', 'access-groups'])
    .describe(
      'Which users go where by themselves. off: none. all: what the gateway changes goes to every terminal. ' +
        'all-with-device-updates: also what people enrol and edit at terminals. ' +
        'access-groups: a user goes only to terminals that one of their access groups reaches.',
    ),
  scope: z
    .record(z.string().min(1).max(32), z.array(z.int().min(1).max(65_535)).max(1000))
    .describe(
      'Access groups that reach a terminal, by its name, where they are others than those of the configuration.',
    ),
  restoreDeleted: z
    .boolean()
    .describe('Whether a user deleted at a terminal is sent to that terminal again.'),
  merge: mergeSchema.describe(
    'What a merge does with a field, or with all slots of a kind (card, finger, face), where it is not fill-vacant; ' +
      'a slot’s own policy goes before that of its kind. `whorl merge-rules` explains them.',
  ),
  hold: z
    .boolean()
    .describe(
      'Whether a user from a terminal who seems to be another person than the one with the same id is kept apart ' +
        'until an operator decides.',
    ),
  guardUsers: z
    .int()
    .min(0)
    .max(1_000_000)
    .describe(
      'A change that removes more users than this from a terminal or a site, or an import that overwrites more there, has to be confirmed.',
    ),
  guardPercent: z
    .int()
    .min(0)
    .max(100)
    .describe(
      'The same in percent of the users of that terminal or site; a handful of users is never too many.',
    ),
});

export type RuntimeSettings = z.infer<typeof runtimeSettingsSchema>;
export type AutoSync = RuntimeSettings['autoSync'];

export const DEFAULT_RUNTIME_SETTINGS: RuntimeSettings = {
  autoSync: 'all-with-device-updates',
  scope: {},
  restoreDeleted: false,
  merge: {},
  hold: true,
  guardUsers: 50,
  guardPercent: 10,
};
