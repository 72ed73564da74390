import { z } from 'zod';
import type { RunningLine } from '../bus/line.ts';
import { LEDS, sensors } from '../events/event.ts';
import type { Watch } from '../events/watch.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Terminal } from '../firmware/terminal.ts';
import type { IoModule } from '../modbus/units.ts';

/** What the emulator tells of how things stand: schemas and what makes them. */

const counters = z.record(z.string(), z.number());
const faults = z.array(z.string()).describe('Names of what is wrong with it at the moment.');

export const lineView = z.object({
  name: z.string(),
  place: z.string().describe('Where the gateway finds it, in words.'),
  plugged: z.boolean().describe('Its adapter or connection is plugged in.'),
  wired: z.boolean().describe('The wire is on the adapter.'),
  baud: z.int().nullable().describe('Bits a second; null on a connection, where bytes take no time.'),
  terminals: z.array(z.string()),
  faults,
  counters: counters.describe('What crossed it, by name.'),
});

const enrolmentView = z.object({
  user: z.int(),
  credential: z.string(),
  reading: z.int(),
  readings: z.int(),
});

export const terminalView = z.object({
  name: z.string(),
  line: z.string(),
  place: z.string(),
  address: z.int(),
  serial: z.string(),
  model: z.string(),
  power: z.enum(['off', 'starting', 'on']),
  plugged: z.boolean().describe('It is on its line.'),
  users: z.int().nullable().describe('null while it is not on; so are the others.'),
  paired: z.boolean().nullable(),
  portable: z.boolean().describe('It is carried about, and has a dock.'),
  docked: z.boolean(),
  lines: z.array(z.string()).describe('Rows of its display, from the top.'),
  led: z.enum(LEDS),
  released: z.boolean().describe('The relay of its door is driven.'),
  enrolment: enrolmentView.nullable().describe('The one that is under way.'),
  faults,
});
export type TerminalView = z.infer<typeof terminalView>;

const capabilitiesView = z.object({
  users: z.int(),
  logs: z.int(),
  cards: z.int().describe('Slots of a user; so are fingers and faces.'),
  fingers: z.int(),
  faces: z.int(),
  does: z.record(z.string(), z.boolean()),
  holds: z.record(z.string(), z.boolean()),
  cardFormats: z.array(z.int()).readonly(),
  fingerFormats: z.array(z.int()).readonly(),
  faceFormats: z.array(z.int()).readonly(),
  mtu: z.int(),
  window: z.int(),
});

const logView = z.object({
  id: z.int(),
  time: z.number(),
  kind: z.string(),
  origin: z.string(),
  user: z.int(),
  detail: z.int(),
});

const named = z.object({ id: z.int(), name: z.string() });

const windowView = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('progress'),
      number: z.int(),
      mode: z.enum(['synchronise', 'send']),
      automatic: z.boolean().describe('It began by itself, in the dock.'),
      stage: z.string().describe('Such as downloading; waiting: the gateway was not heard yet.'),
      done: z.int().describe('Users or files.'),
      total: z.int(),
      bytes: z.int(),
      rate: z.number().describe('Bytes a second.'),
      left: z.number().describe('Seconds.'),
    }),
    z.object({ kind: z.literal('offer-online'), text: z.string() }),
    z.object({ kind: z.literal('confirm-loss'), unsent: z.int(), text: z.string() }),
    z.object({ kind: z.literal('message'), colour: z.enum(['green', 'red']), text: z.string() }),
  ])
  .readonly();
export type WindowView = z.infer<typeof windowView>;

const displayView = z
  .object({
    mode: z.enum(['online', 'offline']).describe('As people chose it.'),
    online: z.boolean().describe('On the line now, also while a sync lends it.'),
    supply: z.boolean(),
    operator: named.readonly().optional().describe('Who is logged in.'),
    operators: z.array(named.readonly()).readonly().describe('Who may log in.'),
    tasks: z.array(named.readonly()).readonly(),
    synced: z.int().optional().describe('Task whose slice it works with; none before the first sync.'),
    options: z.object({ automatic: z.boolean(), data: z.boolean(), files: z.boolean() }).readonly(),
    unsent: z
      .array(
        z
          .object({
            ...{ seq: z.int(), user: z.int(), what: z.string() },
            operator: z.int().describe('Who did it.'),
            at: z.number().describe('When, by its clock, milliseconds UTC.'),
          })
          .readonly(),
      )
      .readonly()
      .describe('Changes that were not sent yet.'),
    answers: z
      .array(z.object({ seq: z.int(), user: z.int(), result: z.string(), reason: z.string() }).readonly())
      .readonly()
      .describe('What became of what was sent last.'),
    files: z
      .array(z.object({ name: z.string(), kind: z.string(), size: z.int(), stored: z.int() }).readonly())
      .readonly(),
    window: windowView.optional().describe('What stands in front of all else until it is answered.'),
  })
  .readonly();
export type DisplayView = z.infer<typeof displayView>;

export const detailsView = terminalView.extend({
  firmware: z.string(),
  capabilities: capabilitiesView,
  failure: z.string().nullable().describe('Why it did not start.'),
  boots: z.int().optional().describe('Only while it is on; so is what follows.'),
  clock: z.string().optional().describe('What its clock shows.'),
  sensors: sensors.optional(),
  epoch: z.int().optional(),
  table: z.string().optional().describe('Digest of its users.'),
  digests: z.record(z.string(), z.string()).optional().describe('Digest by user.'),
  logs: z.array(logView).optional().describe('The newest records of its log, newest last.'),
  counters: counters.optional(),
  display: displayView.optional().describe('All that the display of a portable terminal shows.'),
});

export const moduleView = z.object({
  name: z.string(),
  unit: z.int(),
  alive: z.boolean(),
  registers: z
    .array(z.object({ name: z.string(), kind: z.string(), address: z.int(), value: z.int() }))
    .readonly(),
});

/** What views are made of. */
export interface Scene {
  readonly fleet: Fleet;
  readonly watch: Watch;
}

export function viewLine(line: RunningLine, { fleet }: Scene): z.input<typeof lineView> {
  return {
    name: line.name,
    place: line.cable.place,
    plugged: line.cable.plugged,
    wired: line.medium.wired,
    baud: line.medium.baud ?? null,
    terminals: [...line.terminals.keys()],
    faults: faultsOn(line.name, fleet),
    counters: { ...line.medium.counters },
  };
}

export function viewTerminal(
  name: string,
  { terminal, line }: { readonly terminal: Terminal; readonly line: RunningLine },
  { fleet, watch }: Scene,
): z.input<typeof terminalView> {
  const isOn = terminal.power === 'on';
  const front = watch.front(terminal);
  return {
    name,
    line: line.name,
    place: line.cable.place,
    address: terminal.address,
    serial: terminal.serial,
    model: terminal.model.name,
    power: terminal.power,
    plugged: line.medium.isPlugged(terminal),
    users: isOn ? terminal.userCount : null,
    paired: isOn ? terminal.isPaired : null,
    portable: terminal.isPortable,
    docked: terminal.sensors.docked,
    lines: [...front.lines],
    led: front.led,
    released: front.released,
    enrolment: front.enrolment ?? null,
    faults: faultsOn(name, fleet),
  };
}

/** All about a terminal besides {@link viewTerminal}. */
export function viewDetails(
  terminal: Terminal,
  { logs, digests }: { readonly logs: number; readonly digests: boolean },
): Omit<z.input<typeof detailsView>, keyof TerminalView> {
  const { firmware, capabilities } = terminal.model;
  const told = { firmware, capabilities: { ...capabilities }, failure: terminal.failure ?? null };
  if (terminal.power !== 'on') return told;
  return {
    ...told,
    boots: terminal.boots,
    clock: new Date(terminal.shown).toISOString(),
    sensors: terminal.sensors,
    epoch: terminal.epoch,
    table: terminal.tableDigest,
    ...(digests ? { digests: Object.fromEntries(terminal.users()) } : {}),
    logs: terminal.logs(logs),
    counters: { ...terminal.counters },
    ...(terminal.isPortable ? { display: terminal.display } : {}),
  };
}

export function viewModule({ name, unit, alive, registers }: IoModule): z.input<typeof moduleView> {
  return { name, unit, alive, registers };
}

function faultsOn(name: string, fleet: Fleet): string[] {
  return fleet.faults.active.filter(({ on }) => on === name).map(({ fault }) => fault);
}
