import { ADDRESS_MAX, CARD_SLOTS, codeOf, FACE_SLOTS, FINGER_SLOTS, REGISTER_KINDS } from '@whorl/protocol';
import type { RegisterKind } from '@whorl/protocol';
import { z } from 'zod';
import { LONGEST_WIRE_M, MOST_RETURNED } from '../bus/reflections.ts';
import { checkFault } from '../faults/faults.ts';
import { isModelName, isModelPath, MODEL_NAMES, modelNamed } from '../models/built-in.ts';
import { differences, quirkList } from '../models/file.ts';
import { suggest } from '../values/suggest.ts';
import { duration } from '../values/numbers.ts';

const LONGEST_NAME = 28;
const MOST_USERS = 1_000_000;
const LOWEST_BAUD = 9_600;
const HIGHEST_BAUD = 921_600;
const SERIAL_BAUD = 115_200;
const MODBUS_BAUD = 19_200;

const name = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]*$/,
    'a name is small letters, digits and dashes, and begins with a letter or digit',
  )
  .max(LONGEST_NAME);

const place = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  /** 0 for any free one. */
  port: z.int().min(0).max(0xffff),
});

/** Users whom a terminal holds when it is new: the same ones wherever seed and ids are the same. */
const people = z.strictObject({
  count: z.int().min(0).max(MOST_USERS),
  from: z.int().min(1).max(MOST_USERS).default(1),
  fingers: z.int().min(0).max(FINGER_SLOTS).default(0),
  cards: z.int().min(0).max(CARD_SLOTS).default(0),
  faces: z.int().min(0).max(FACE_SLOTS).default(0),
  seed: z.int().default(1),
});

const SHORTEST_EVERY_MS = 10;
const delayMs = z.number().min(0).max(60_000);

/** What a dump says itself of a terminal. */
const IN_DUMP = ['model', 'firmware', 'users'] as const;

const terminal = z
  .strictObject({
    name,
    address: z.int().min(1).max(ADDRESS_MAX).default(1),
    /** `EM-` and its name when not given. */
    serial: z.string().min(1).max(32).optional(),
    /** Name of a model that is shipped, or path of a model file; finger-10k when not given. */
    model: z
      .string()
      .refine((one) => isModelName(one) || isModelPath(one), {
        error: ({ input }) => `no model is called ${String(input)}; ${suggest(String(input), MODEL_NAMES)}`,
      })
      .optional(),
    /** The one that the model comes with when not given. */
    firmware: z.string().min(1).optional(),
    /** What else its firmware does otherwise than it should. */
    quirks: quirkList,
    /** Where it differs from its model. */
    capabilities: differences.default({}),
    /** The line's when not given, else the model's. */
    turnaroundMs: delayMs.optional(),
    /** The model's when not given. */
    bootMs: delayMs.optional(),
    /** File of `whorl-emulator dump`: model, capabilities, users, log and clock are those of that terminal. */
    from: z.string().min(1).optional(),
    /** How many, or who. */
    users: z.union([z.int().min(0).max(MOST_USERS), people]).optional(),
  })
  .superRefine((one, context) => {
    for (const key of one.from === undefined ? [] : IN_DUMP)
      if (one[key] !== undefined)
        context.addIssue({ code: 'custom', path: [key], message: `a dump says itself what ${key} would` });
  });

/** How long a wire is, and how much of a level comes back from its ends. */
const reflections = z.strictObject({
  lengthM: z.number().min(1).max(LONGEST_WIRE_M),
  returned: z.number().min(0).max(MOST_RETURNED),
});

const MODULE_REGISTERS = 200;

/** A module with contacts and relays. */
const ioModule = z.strictObject({
  name,
  unit: z.int().min(1).max(ADDRESS_MAX),
  registers: z
    .array(
      z.strictObject({
        name,
        kind: z.enum(Object.keys(REGISTER_KINDS) as [RegisterKind, ...RegisterKind[]]),
        address: z.int().min(0).max(0xffff),
        value: z.int().min(0).max(0xffff).default(0),
      }),
    )
    .min(1)
    .max(MODULE_REGISTERS),
});

/** Modbus on a wire or port of its own. */
const modbus = z
  .strictObject({
    name,
    /** RTU: the gateway opens the link. */
    pty: z.strictObject({ link: z.string().min(1) }).optional(),
    baud: z.int().min(LOWEST_BAUD).max(HIGHEST_BAUD).default(MODBUS_BAUD),
    /** Modbus TCP. */
    listen: place.optional(),
    /** Terminals that answer here, with their address as unit. */
    terminals: z.array(z.string()).default([]),
    modules: z.array(ioModule).default([]),
  })
  .refine(
    (one) => (one.pty === undefined) !== (one.listen === undefined),
    'a bus has just one of pty and listen',
  );

const line = z
  .strictObject({
    name,
    /** A serial port: the gateway opens the link. */
    pty: z.strictObject({ link: z.string().min(1) }).optional(),
    /** A TCP port that the gateway dials. */
    listen: place.optional(),
    /** The gateway's TCP port, which the terminal dials. */
    dial: place.optional(),
    /** Bits a second; on TCP, bytes take no time without it. */
    baud: z.int().min(LOWEST_BAUD).max(HIGHEST_BAUD).optional(),
    /** Of terminals whose model says nothing else; 1 when not given. */
    turnaroundMs: delayMs.optional(),
    echo: z.boolean().default(false),
    /** A wire without terminating resistors. */
    reflections: reflections.optional(),
    /** Its terminals answer Modbus RTU on the same wire. */
    modbus: z.boolean().default(false),
    /** Modules on the same wire. */
    modules: z.array(ioModule).default([]),
    terminals: z.array(terminal).min(1),
  })
  .refine((one) => ways(one) === 1, 'a line has just one of pty, listen and dial')
  .refine(
    (one) => one.pty !== undefined || one.baud !== undefined || one.terminals.length === 1,
    'several terminals share a wire, and a wire has a baud rate: give the line a baud',
  )
  .refine(
    (one) => one.reflections === undefined || one.pty !== undefined || one.baud !== undefined,
    'reflections need a wire: give the line a baud',
  );

/** A fault that comes by itself. */
const planned = z.strictObject({
  fault: z.string().min(1),
  /** A line or a terminal. */
  on: z.string().min(1),
  /** Options of the fault. */
  with: z.record(z.string(), z.unknown()).default({}),
  /** After the start. */
  at: duration('after the start').default(0),
  /** Until the emulator ends, when not given. */
  for: duration('so long').optional(),
  /** From one beginning to the next; once when not given. */
  every: duration('again and again').optional(),
});

/** A fleet file. */
export const fleetSchema = z
  .strictObject({
    /** Equal seeds give equal fleets. */
    seed: z.int().default(1),
    /** Folder where the terminals keep what they hold; in memory when not given. */
    data: z.string().min(1).optional(),
    lines: z.array(line).min(1),
    faults: z.array(planned).default([]),
    modbus: z.array(modbus).default([]),
  })
  .superRefine((fleet, context) => {
    for (const { path, message } of [
      ...clashes(fleet),
      ...modelsThatCannotBe(fleet),
      ...faultsThatCannotBe(fleet),
      ...unitsThatCannotBe(fleet),
    ])
      context.addIssue({ code: 'custom', path: [...path], message });
  });

export type FleetConfig = z.infer<typeof fleetSchema>;
export type FleetLine = FleetConfig['lines'][number];
export type FleetTerminal = FleetLine['terminals'][number];
export type FleetModbus = FleetConfig['modbus'][number];
export type FleetModule = z.infer<typeof ioModule>;
export type FleetPeople = z.infer<typeof people>;

/** Whether bytes take time on a line. */
export function baudOf(one: FleetLine): number | undefined {
  return one.baud ?? (one.pty === undefined ? undefined : SERIAL_BAUD);
}

export function serialOf(one: Pick<FleetTerminal, 'name' | 'serial'>): string {
  return one.serial ?? `EM-${one.name}`;
}

function ways(one: { pty?: unknown; listen?: unknown; dial?: unknown }): number {
  return [one.pty, one.listen, one.dial].filter((way) => way !== undefined).length;
}

interface Claim {
  /** What must not be claimed twice, in words. */
  readonly what: string;
  readonly path: readonly (string | number)[];
}

interface Wrong {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Firmwares that a shipped model never had; files are read when the fleet is made. */
function* modelsThatCannotBe({ lines }: Pick<FleetConfig, 'lines'>): Generator<Wrong> {
  for (const [i, line] of lines.entries())
    for (const [j, { model, firmware }] of line.terminals.entries()) {
      const message =
        model === undefined || isModelName(model)
          ? refusalOf(() => void modelNamed(model, firmware))
          : undefined;
      if (message !== undefined) yield { path: ['lines', i, 'terminals', j, 'firmware'], message };
    }
}

/** Planned faults on nobody, or with options that they do not have. */
function* faultsThatCannotBe(fleet: Pick<FleetConfig, 'lines' | 'faults'>): Generator<Wrong> {
  for (const [i, { on, fault, with: given, for: forMs, every }] of fleet.faults.entries()) {
    const line = fleet.lines.find((one) => one.name === on);
    const host = line ?? fleet.lines.find((one) => one.terminals.some((terminal) => terminal.name === on));
    if (host === undefined)
      yield { path: ['faults', i, 'on'], message: `no line or terminal is called ${on}` };
    else {
      const message = refusalOf(() => {
        const wish = { fault, given, forMs };
        checkFault(line === undefined ? 'terminal' : 'line', baudOf(host) !== undefined, wish);
      });
      if (message !== undefined) yield { path: ['faults', i], message };
    }
    if (every !== undefined && every < SHORTEST_EVERY_MS)
      yield { path: ['faults', i, 'every'], message: `at least ${SHORTEST_EVERY_MS} ms` };
  }
}

/** Terminals on a bus that are not there, and units of which a wire has two. */
function* unitsThatCannotBe(fleet: Pick<FleetConfig, 'lines' | 'modbus'>): Generator<Wrong> {
  const terminals = new Map(
    fleet.lines.flatMap((one) => one.terminals.map((terminal) => [terminal.name, terminal.address])),
  );
  for (const [i, one] of fleet.lines.entries()) {
    if ((one.modbus || one.modules.length > 0) && baudOf(one) === undefined)
      yield { path: ['lines', i], message: 'Modbus RTU needs a wire: give the line a baud' };
    const units = one.modbus ? one.terminals.map(({ address }) => address) : [];
    yield* unitsTwice([...units, ...one.modules.map(({ unit }) => unit)], ['lines', i, 'modules']);
  }
  for (const [i, bus] of fleet.modbus.entries()) {
    for (const [j, terminal] of bus.terminals.entries())
      if (!terminals.has(terminal))
        yield { path: ['modbus', i, 'terminals', j], message: `no terminal is called ${terminal}` };
    const units = bus.terminals.flatMap((terminal) => terminals.get(terminal) ?? []);
    yield* unitsTwice([...units, ...bus.modules.map(({ unit }) => unit)], ['modbus', i]);
  }
}

function* unitsTwice(units: readonly number[], path: Wrong['path']): Generator<Wrong> {
  for (const [i, unit] of units.entries())
    if (units.indexOf(unit) < i) yield { path, message: `unit ${unit} is there twice` };
}

function refusalOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (codeOf(error) === undefined || !(error instanceof Error)) throw error;
    return error.message;
  }
}

/** Places that claim what another one has claimed before. */
function clashes(fleet: Pick<FleetConfig, 'lines'>): Wrong[] {
  const first = new Map<string, Claim>();
  const found: Wrong[] = [];
  for (const claim of claims(fleet.lines)) {
    const other = first.get(claim.what);
    if (other === undefined) first.set(claim.what, claim);
    else
      found.push({ path: claim.path, message: `${claim.what} is already that of ${other.path.join('.')}` });
  }
  return found;
}

function* claims(lines: readonly FleetLine[]): Generator<Claim> {
  for (const [i, one] of lines.entries()) {
    const at = ['lines', i];
    yield { what: `the name ${one.name}`, path: [...at, 'name'] };
    if (one.pty !== undefined) yield { what: `the link ${one.pty.link}`, path: [...at, 'pty', 'link'] };
    if (one.listen !== undefined && one.listen.port !== 0)
      yield { what: `port ${one.listen.port} of ${one.listen.host}`, path: [...at, 'listen', 'port'] };
    for (const [j, member] of one.terminals.entries()) {
      const here = [...at, 'terminals', j];
      yield { what: `the name ${member.name}`, path: [...here, 'name'] };
      yield { what: `address ${member.address} on ${one.name}`, path: [...here, 'address'] };
      yield { what: `the serial ${serialOf(member)}`, path: [...here, 'serial'] };
    }
    for (const [j, module] of one.modules.entries())
      yield { what: `the name ${module.name}`, path: [...at, 'modules', j, 'name'] };
  }
}
