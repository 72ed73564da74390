import { z } from 'zod';

const line = z.string().describe('Name of the line.');
const terminal = z.string().describe('Name of the terminal.');
const at = { line, terminal };
const user = z.int().describe('Id of the user; 0 when the terminal knows nobody.');
const credential = z.string().describe('Field by which it was, such as finger.3; empty when none was.');

export const LEDS = ['off', 'blue', 'yellow', 'green', 'red'] as const;
export const SOUNDS = ['none', 'key', 'good', 'bad'] as const;

/** What a terminal measures of the world around it. */
export const sensors = z.object({
  supplyMv: z.int().describe('Millivolts; 0 for none.'),
  batteryMv: z.int().describe('Millivolts; 0 without a battery.'),
  batteryPercent: z.int(),
  tamper: z.boolean().describe('The housing is open.'),
  door: z.boolean().describe('The door is open.'),
  docked: z.boolean().describe('It sits in its dock.'),
});

/** All that an emulator tells while it happens, by kind; each has an id and a time besides. */
const KINDS = {
  display: z
    .object({
      ...at,
      lines: z.array(z.string()).readonly().describe('Rows of the display, all of them, from the top.'),
      led: z.enum(LEDS),
      sound: z.enum(SOUNDS).describe('What it sounds like when it begins.'),
    })
    .describe('A terminal shows something else.'),
  door: z
    .object({ ...at, released: z.boolean().describe('The relay is driven.') })
    .describe('The relay of a door.'),
  enrolment: z
    .object({
      ...at,
      step: z.enum(['begun', 'reading', 'done', 'failed']),
      user,
      credential: z.string().describe('What is enrolled, such as finger.3.'),
      reading: z.int().describe('Readings taken.'),
      readings: z.int().describe('Readings that it takes.'),
    })
    .describe('An enrolment in steps.'),
  identified: z.object({ ...at, user, credential }).describe('Somebody was let in.'),
  denied: z.object({ ...at, user, credential }).describe('Somebody was refused.'),
  log: z
    .object({
      ...at,
      log: z.int().describe('Id of the record in the terminal’s log.'),
      what: z.string().describe('Kind of the record, such as user.enrolled.'),
      origin: z.enum(['terminal', 'gateway']).describe('Who made the change.'),
      user,
      detail: z.int(),
    })
    .describe('A terminal wrote a record into its log.'),
  power: z.object({ ...at, power: z.enum(['off', 'starting', 'on']) }).describe('A terminal’s power.'),
  dock: z.object({ ...at, docked: z.boolean() }).describe('A terminal was put into its dock, or taken out.'),
  sensors: z
    .object({ ...at, ...sensors.shape })
    .describe('What a terminal measures is different: all of it, as it is now.'),
  plug: z
    .object({ line, terminal: terminal.optional(), plugged: z.boolean() })
    .describe('A terminal’s cable, or, without a terminal, that of the whole line.'),
  fault: z
    .object({
      line,
      terminal: terminal.optional(),
      fault: z.string(),
      active: z.boolean().describe('It has begun; else it has ended.'),
    })
    .describe('Something goes wrong, or was put right.'),
  module: z
    .object({
      module: z.string().describe('Name of the module.'),
      alive: z.boolean().describe('It has power.'),
      register: z
        .string()
        .optional()
        .describe('Which one has another value; none when its power was switched.'),
      value: z.int().optional().describe('Of that register, as it is now.'),
    })
    .describe('A module with contacts and relays is different, whoever made it so.'),
  frame: z
    .object({
      line,
      terminal: terminal.optional(),
      direction: z
        .enum(['to-terminal', 'to-gateway'])
        .nullable()
        .describe('null for what somebody else drove onto the line.'),
      address: z.int().nullable().describe('0 for all; null when it cannot be read.'),
      message: z.string().nullable().describe('Its name; null when it is sealed or cannot be read.'),
      form: z.enum(['plain', 'sealed', 'short', 'damaged']),
      bytes: z.int().describe('Length on the wire, delimiter included.'),
    })
    .describe('Something crossed a line.'),
  missed: z
    .object({ after: z.int().describe('Id that the reader had.') })
    .describe('What happened between that id and the next event is not kept any more.'),
} as const;

export type EventKind = keyof typeof KINDS;

export const EVENT_KINDS = Object.keys(KINDS) as [EventKind, ...EventKind[]];

/** What happened, before it has an id and a time. */
export type Happened = {
  [Kind in EventKind]: { readonly kind: Kind } & Readonly<z.infer<(typeof KINDS)[Kind]>>;
}[EventKind];

export type FleetEvent = Happened & { readonly id: number; readonly time: number };

const stamp = {
  id: z.int().describe('Goes up; a reader that comes back names the last one it has.'),
  time: z.number().describe('Milliseconds since 1970 UTC.'),
};

/** An event as it is told. */
export const eventSchema: z.ZodType<FleetEvent> = z.discriminatedUnion('kind', [
  KINDS.display.extend({ kind: z.literal('display'), ...stamp }),
  KINDS.door.extend({ kind: z.literal('door'), ...stamp }),
  KINDS.enrolment.extend({ kind: z.literal('enrolment'), ...stamp }),
  KINDS.identified.extend({ kind: z.literal('identified'), ...stamp }),
  KINDS.denied.extend({ kind: z.literal('denied'), ...stamp }),
  KINDS.log.extend({ kind: z.literal('log'), ...stamp }),
  KINDS.power.extend({ kind: z.literal('power'), ...stamp }),
  KINDS.dock.extend({ kind: z.literal('dock'), ...stamp }),
  KINDS.sensors.extend({ kind: z.literal('sensors'), ...stamp }),
  KINDS.plug.extend({ kind: z.literal('plug'), ...stamp }),
  KINDS.fault.extend({ kind: z.literal('fault'), ...stamp }),
  KINDS.module.extend({ kind: z.literal('module'), ...stamp }),
  KINDS.frame.extend({ kind: z.literal('frame'), ...stamp }),
  KINDS.missed.extend({ kind: z.literal('missed'), ...stamp }),
]);
