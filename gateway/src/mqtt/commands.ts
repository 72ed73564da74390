import { z } from 'zod';
import { runtimeSettingsSchema } from '../settings/runtime.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { Operations } from '../sync/operations.ts';

interface CommandRow {
  readonly schema: z.ZodObject;
  readonly doc: string;
  readonly run: (operations: Operations, request: never) => Promise<unknown>;
}

const id = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w.-]+$/)
  .describe('Chosen by the asker; the answer comes to `answers/<id>`. Asked twice, done once.');
const user = z.int().min(1).max(0xffff_ffff);
const terminal = z.string().min(1).max(32);

function row<Schema extends z.ZodObject>(
  doc: string,
  schema: Schema,
  run: (operations: Operations, request: z.output<Schema>) => Promise<unknown>,
): CommandRow {
  return { doc, schema, run };
}

/** What programs may ask over MQTT, by the last part of the topic. */
export const COMMANDS: Readonly<Record<string, CommandRow>> = {
  status: row('Lines, terminals, queues.', z.strictObject({ id }), (operations) => operations.status()),
  'settings.get': row('Run-time settings.', z.strictObject({ id }), (operations) => operations.settings()),
  'settings.set': row(
    'Changes run-time settings.',
    z.strictObject({ id, changes: runtimeSettingsSchema.partial() }),
    (operations, { changes }) =>
      operations.changeSettings(JSON.parse(JSON.stringify(changes)) as Partial<RuntimeSettings>),
  ),
  'users.push': row(
    'Sends users to terminals.',
    z.strictObject({ id, users: z.array(user).min(1).max(1000), terminals: z.array(terminal).min(1) }),
    async (operations, { users, terminals }) => ({
      rows: await operations.push(users, terminals),
    }),
  ),
  'users.pull': row(
    'Fetches a user from a terminal.',
    z.strictObject({ id, user, terminal }),
    async (operations, request) => {
      await operations.pull(request.user, request.terminal);
      return {};
    },
  ),
  'ledger.retry': row(
    'Tries failed rows again.',
    z.strictObject({ id, user: user.optional(), terminal: terminal.optional() }),
    async (operations, request) => ({
      retried: await operations.retry({
        ...(request.user === undefined ? {} : { user: request.user }),
        ...(request.terminal === undefined ? {} : { terminal: request.terminal }),
      }),
    }),
  ),
};
