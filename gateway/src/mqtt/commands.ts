import { z } from 'zod';
import { EVENT_TYPES } from '../events/catalogue.ts';
import { runtimeSettingsSchema } from '../settings/runtime.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { Store } from '../store/store.ts';
import type { Operations } from '../sync/operations.ts';
import type { TaskOperations } from '../tasks/operations.ts';
import { syncViewSchema } from '../tasks/view-schema.ts';
import { misfit } from './errors.ts';
import { statusSchema } from '../sync/status-schema.ts';
import { eventEnvelope, publishedEvent } from './topics.ts';

/** What commands work with. */
export interface CommandTools {
  readonly operations: Operations;
  readonly tasks: Pick<TaskOperations, 'syncs' | 'cancel'>;
  readonly store: Pick<Store, 'events'>;
}

/** One thing that programs can ask. */
export interface CommandRow {
  readonly doc: string;
  /** Whether something is different afterwards; then the same id is done once only. */
  readonly changes: boolean;
  readonly request: z.ZodObject;
  readonly result: z.ZodType;
  /**
   * Checks a command; nothing happens yet.
   * @returns does it
   * @throws CommandError MQTT_COMMAND
   */
  readonly prepare: (tools: CommandTools, command: unknown) => () => Promise<unknown>;
}

const MOST_AT_ONCE = 1000;
const MOST_EVENTS = 500;

/** How the asker's ids look; they become part of a topic. */
export const ID_PATTERN = /^[\w.-]{1,64}$/;

const id = z
  .string()
  .regex(ID_PATTERN, 'letters, digits, dots, dashes and underscores, at most 64')
  .describe('Chosen by the asker; the answer comes to `answers/<id>`.');
const user = z.int().min(1).max(0xffff_ffff);
const terminal = z.string().min(1).max(32);

const settingsChanges = z
  .strictObject({
    autoSync: runtimeSettingsSchema.shape.autoSync.exactOptional(),
    scope: runtimeSettingsSchema.shape.scope.exactOptional(),
    restoreDeleted: runtimeSettingsSchema.shape.restoreDeleted.exactOptional(),
    merge: runtimeSettingsSchema.shape.merge.exactOptional(),
    hold: runtimeSettingsSchema.shape.hold.exactOptional(),
    guardUsers: runtimeSettingsSchema.shape.guardUsers.exactOptional(),
    guardPercent: runtimeSettingsSchema.shape.guardPercent.exactOptional(),
  } satisfies Record<keyof RuntimeSettings, z.ZodType>)
  .refine((changes) => Object.keys(changes).length > 0, 'names no setting');

function row<Request extends z.ZodObject, Result extends z.ZodType>(
  what: {
    readonly doc: string;
    readonly changes: boolean;
    readonly request: Request;
    readonly result: Result;
  },
  run: (tools: CommandTools, request: z.output<Request>) => Promise<z.input<Result>>,
): CommandRow {
  return {
    ...what,
    prepare: (tools, command) => {
      const checked = what.request.safeParse(command);
      if (!checked.success) throw misfit(checked.error, Object.keys(what.request.shape));
      return () => run(tools, checked.data);
    },
  };
}

const rows = {
  status: row(
    {
      doc: 'Lines, terminals, ledger, settings.',
      changes: false,
      request: z.strictObject({ id }),
      result: statusSchema,
    },
    async ({ operations }) => {
      const status = await operations.status();
      return {
        ...status,
        lines: [...status.lines],
        terminals: status.terminals.map((one) => ({ ...one, groups: [...one.groups] })),
      };
    },
  ),
  'users.push': row(
    {
      doc: 'Sends users to terminals, whatever `autoSync` says. `rows` of the ledger were made pending.',
      changes: true,
      request: z.strictObject({
        id,
        users: z.array(user).min(1).max(MOST_AT_ONCE),
        terminals: z.array(terminal).min(1).max(MOST_AT_ONCE),
      }),
      result: z.strictObject({ rows: z.int() }),
    },
    async ({ operations }, { users, terminals }) => ({ rows: await operations.push(users, terminals) }),
  ),
  'users.pull': row(
    {
      doc: 'Fetches a user from a terminal and merges it, whatever `autoSync` says.',
      changes: true,
      request: z.strictObject({ id, user, terminal }),
      result: z.strictObject({}),
    },
    async ({ operations }, request) => {
      await operations.pull(request.user, request.terminal);
      return {};
    },
  ),
  'ledger.retry': row(
    {
      doc: 'Tries failed rows of the ledger again at once: all, or those of a user, or of a terminal.',
      changes: true,
      request: z.strictObject({ id, user: user.exactOptional(), terminal: terminal.exactOptional() }),
      result: z.strictObject({ retried: z.int() }),
    },
    async ({ operations }, { id: _, ...filter }) => ({ retried: await operations.retry(filter) }),
  ),
  'syncs.list': row(
    {
      doc: 'Sync sessions of portable terminals, newest first.',
      changes: false,
      request: z.strictObject({
        id,
        terminal: terminal.exactOptional(),
        limit: z.int().min(1).max(MOST_EVENTS).default(50),
      }),
      result: z.strictObject({ syncs: z.array(syncViewSchema) }),
    },
    async ({ tasks }, { id: _, ...filter }) => ({ syncs: [...(await tasks.syncs(filter))] }),
  ),
  'syncs.cancel': row(
    {
      doc: 'Cancels the sync session of a portable terminal: it holds what it held before, unsent changes too.',
      changes: true,
      request: z.strictObject({ id, terminal }),
      result: z.strictObject({}),
    },
    async ({ tasks }, request) => {
      await tasks.cancel(request.terminal, 'mqtt');
      return {};
    },
  ),
  'settings.get': row(
    {
      doc: 'The run-time settings.',
      changes: false,
      request: z.strictObject({ id }),
      result: runtimeSettingsSchema,
    },
    ({ operations }) => operations.settings(),
  ),
  'settings.set': row(
    {
      doc: 'Changes run-time settings; answers all of them.',
      changes: true,
      request: z.strictObject({
        id,
        changes: settingsChanges,
        confirm: z
          .string()
          .max(64)
          .exactOptional()
          .describe('What a dry run answered, for a change that removes many users from a terminal.'),
      }),
      result: runtimeSettingsSchema,
    },
    ({ operations }, { changes, confirm }) =>
      confirm === undefined
        ? operations.changeSettings(changes)
        : operations.changeSettings(changes, { confirm }),
  ),
  'events.list': row(
    {
      doc: 'Stored events with higher ids than `after`, oldest first: for whoever was away.',
      changes: false,
      request: z.strictObject({
        id,
        after: z.int().min(0),
        limit: z.int().min(1).max(MOST_EVENTS).default(100),
        type: z.enum(EVENT_TYPES).exactOptional(),
        terminal: terminal.exactOptional(),
        user: user.exactOptional(),
      }),
      result: z.strictObject({ events: z.array(eventEnvelope) }),
    },
    async ({ store }, { id: _, ...filter }) => ({ events: (await store.events(filter)).map(publishedEvent) }),
  ),
} as const satisfies Record<string, CommandRow>;

/** What programs may ask over MQTT, by the last part of the topic. */
export const COMMANDS: ReadonlyMap<string, CommandRow> = new Map(Object.entries(rows));
