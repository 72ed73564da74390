import { isFieldName } from '@whorl/protocol';
import type { FieldName } from '@whorl/protocol';
import { z } from 'zod';
import type { RunningLine } from '../fleet/fleet.ts';
import type { Terminal } from '../firmware/terminal.ts';

interface ActionRow {
  readonly doc: string;
  readonly schema: z.ZodObject;
  readonly run: (at: { terminal: Terminal; line: RunningLine }, options: never) => unknown;
}

const user = z.coerce.number().int().min(1).max(0xffff_ffff);
const slots = z.coerce.number().int().min(0);
const text = z.string().min(1).max(64);

function row<Schema extends z.ZodObject>(
  doc: string,
  schema: Schema,
  run: (at: { terminal: Terminal; line: RunningLine }, options: z.output<Schema>) => unknown,
): ActionRow {
  return { doc, schema, run };
}

const nothing = z.strictObject({});
const groups = z
  .string()
  .regex(/^\d+(,\d+)*$/, 'access groups such as 1,2')
  .transform((list) => list.split(',').map(Number));

/** What can be done to a terminal, by name; from this table come the HTTP routes and the command's help. */
export const ACTIONS: Readonly<Record<string, ActionRow>> = {
  enrol: row(
    'enrol a user: --user, --name, --groups 1,2, --finger SLOT, --fingers N, --card SLOT, --face SLOT, --count N',
    z.strictObject({
      user: user.optional(),
      name: text.optional(),
      groups: groups.optional(),
      finger: slots.optional(),
      fingers: slots.optional(),
      card: slots.optional(),
      face: slots.optional(),
      count: z.coerce.number().int().min(1).max(10_000).default(1),
    }),
    ({ terminal }, { count, ...enrolment }) => {
      const press =
        enrolment.finger === undefined &&
        enrolment.fingers === undefined &&
        enrolment.card === undefined &&
        enrolment.face === undefined;
      const users = Array.from({ length: count }, (_, i) =>
        terminal.enrol({
          ...enrolment,
          ...(press ? { finger: 0 } : {}),
          user: enrolment.user === undefined ? undefined : enrolment.user + i,
        }),
      );
      return { users };
    },
  ),
  edit: row(
    'change a user: --user, --name, --groups, --clear FIELD',
    z.strictObject({ user, name: text.optional(), groups: groups.optional(), clear: z.string().optional() }),
    ({ terminal }, options) => {
      const set = { name: options.name, groups: options.groups };
      return { changed: terminal.edit({ user: options.user, set, clear: fieldNames(options.clear) }) };
    },
  ),
  delete: row('delete a user: --user', z.strictObject({ user }), ({ terminal }, options) => {
    terminal.remove(options.user);
    return {};
  }),
  tap: row(
    'ask to be let in: --user, or --card HEX',
    z.strictObject({
      user: user.optional(),
      card: z
        .string()
        .regex(/^([0-9a-f]{2})+$/i)
        .optional(),
    }),
    ({ terminal }, options) =>
      terminal.tap(
        options.card === undefined ? { user: options.user ?? 0 } : { card: Buffer.from(options.card, 'hex') },
      ),
  ),
  'enrol-fail': row(
    'begin an enrolment and give up: --user',
    z.strictObject({ user: user.optional() }),
    ({ terminal }, options) => {
      terminal.enrolFailed(options.user);
      return {};
    },
  ),
  reboot: row('start anew', nothing, ({ terminal }) => {
    terminal.reboot();
    return {};
  }),
  'power-off': row('cut the power', nothing, ({ terminal }) => {
    terminal.powerOff();
    return {};
  }),
  'power-on': row('give it power', nothing, ({ terminal }) => {
    terminal.powerOn();
    return {};
  }),
  unplug: row('take the terminal off its line', nothing, ({ terminal, line }) => {
    line.medium.setPlugged(terminal, false);
    return {};
  }),
  plug: row('put it back on its line', nothing, ({ terminal, line }) => {
    line.medium.setPlugged(terminal, true);
    return {};
  }),
  'unplug-line': row('pull the cable of its line out of the gateway', nothing, async ({ line }) => {
    await line.cable.unplug();
    return {};
  }),
  'plug-line': row('put the cable back', nothing, async ({ line }) => {
    await line.cable.plug();
    return {};
  }),
  noise: row(
    'random bytes on its line: --ms N',
    z.strictObject({ ms: z.coerce.number().int().min(1).max(600_000) }),
    ({ line }, { ms }) => {
      line.medium.noise(ms);
      return {};
    },
  ),
  corrupt: row(
    'flip each bit on its line with a chance, 0 to end: --rate 0.0001',
    z.strictObject({ rate: z.coerce.number().min(0).max(1) }),
    ({ line }, { rate }) => {
      line.medium.setBitErrors(rate);
      return {};
    },
  ),
  'clear-log': row('clear the log', nothing, ({ terminal }) => {
    terminal.clearLog();
    return {};
  }),
  'factory-reset': row('make it as new', nothing, ({ terminal }) => {
    terminal.factoryReset();
    return {};
  }),
  'set-clock': row(
    'set the clock: --time ISO',
    z.strictObject({ time: z.iso.datetime() }),
    ({ terminal }, { time }) => {
      terminal.setClock(Date.parse(time));
      return {};
    },
  ),
  tamper: row('open the housing', nothing, ({ terminal }) => {
    terminal.tamper();
    return {};
  }),
};

function fieldNames(list: string | undefined): FieldName[] {
  return (list ?? '').split(',').filter(isFieldName);
}
