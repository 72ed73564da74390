import { z } from 'zod';

/** What can be changed while the gateway runs; kept in its database, so that a restart does not bring back old values. */
export const runtimeSettingsSchema = z.strictObject({
  autoSync: z
    .enum(['off', 'all', 'all-with-device-updates', 'access-groups'])
    .describe(
      'Which users go where by themselves. off: none. all: what the gateway changes goes to every terminal. ' +
        'all-with-device-updates: also what people enrol and edit at terminals. ' +
        'access-groups: a user goes only to terminals that one of their access groups reaches.',
    ),
  restoreDeleted: z
    .boolean()
    .describe('Whether a user deleted at a terminal is sent to that terminal again.'),
});

export type RuntimeSettings = z.infer<typeof runtimeSettingsSchema>;
export type AutoSync = RuntimeSettings['autoSync'];

export const DEFAULT_RUNTIME_SETTINGS: RuntimeSettings = {
  autoSync: 'all-with-device-updates',
  restoreDeleted: false,
};
