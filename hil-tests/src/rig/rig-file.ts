import { dirname, resolve } from 'node:path';
import { parseYaml, readYaml } from '@whorl/device-emulator/values/yaml';
import { z } from 'zod';
import type { Gives } from './needs.ts';
import type { Ability } from './site.ts';

const HIGHEST_ADDRESS = 247;
const SERIAL_BAUD = 115_200;

const name = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]*$/,
    'a name is small letters, digits and dashes, and begins with a letter or digit',
  )
  .max(28);

const port = z.int().min(1).max(0xffff);
const command = z.array(z.string().min(1)).min(1);

/** Somebody is asked at the console. */
const person = z.literal('person');
/** An emulator of another process does it, told on its control port. */
const emulator = z.strictObject({ emulator: port });
/** A relay or switchable hub, by commands; the first word is the program. */
const relay = z.strictObject({ off: command, on: command });

const terminal = z.strictObject({
  name,
  address: z.int().min(1).max(HIGHEST_ADDRESS).default(1),
  /** Access groups that reach it. */
  groups: z.array(z.int().min(0)).default([]),
  /** Who enrols and deletes there, and types pairing codes; nobody when absent. */
  people: z.union([person, emulator]).optional(),
  /** Who cuts its power; nobody when absent. */
  power: z.union([person, emulator, relay]).optional(),
  /** Whether it may be reset to new by `people`, given consent. */
  reset: z.boolean().default(false),
});

const milliseconds = z.number().min(0).max(10_000);

const line = z
  .strictObject({
    name,
    /** A serial port of this machine. */
    serial: z.strictObject({ path: z.string().min(1), baud: z.int().default(SERIAL_BAUD) }).optional(),
    /** A terminal with a network plug, or a serial device server. */
    tcp: z.strictObject({ host: z.string().min(1), port, baud: z.int().optional() }).optional(),
    /** Emulated by the rig, on a real port. */
    emulated: z.enum(['pty', 'tcp']).optional(),
    turnaroundMs: milliseconds.default(2),
    latencyMs: milliseconds.default(100),
    /** Who pulls its cable; nobody when absent. */
    cable: z.union([person, emulator, relay]).optional(),
    terminals: z.array(terminal).min(1),
  })
  .refine(
    (one) => [one.serial, one.tcp, one.emulated].filter((way) => way !== undefined).length === 1,
    'a line has just one of serial, tcp and emulated',
  );

const emulatedRig = z.strictObject({
  /** All terminals are emulated; each behaviour brings the site that it wants. */
  emulated: z.enum(['memory', 'pty', 'tcp']),
});

const portsRig = z.strictObject({
  /** Folder of the gateway of this rig, which keeps the pairings from one run to the next. */
  data: z.string().min(1),
  /** Ids that nobody has at these terminals, for users who are enrolled and deleted again. */
  users: z
    .strictObject({ from: z.int().min(1), count: z.int().min(100) })
    .default({ from: 9_000, count: 900 }),
  lines: z.array(line).min(1),
});

/** A rig file. */
export const rigSchema = z.union([emulatedRig, portsRig]).superRefine((rig, context) => {
  if ('emulated' in rig) return;
  const names = new Set<string>();
  const claim = (one: string, path: PropertyKey[]): void => {
    if (names.has(one)) context.addIssue({ code: 'custom', path, message: `another one is called ${one}` });
    names.add(one);
  };
  for (const [i, { name: called, terminals }] of rig.lines.entries()) {
    claim(called, ['lines', i, 'name']);
    const addresses = new Set<number>();
    for (const [j, one] of terminals.entries()) {
      const path = ['lines', i, 'terminals', j];
      claim(one.name, [...path, 'name']);
      if (addresses.has(one.address))
        context.addIssue({
          code: 'custom',
          path: [...path, 'address'],
          message: `another terminal of ${called} has address ${one.address}`,
        });
      addresses.add(one.address);
    }
  }
});

export type RigFile = z.infer<typeof rigSchema>;
export type PortsFile = Extract<RigFile, { lines: unknown }>;
export type PortsLine = PortsFile['lines'][number];
export type PortsTerminal = PortsLine['terminals'][number];
/** Who cuts power, or pulls a cable. */
export type Switch = NonNullable<PortsLine['cable']>;

const KIND = { schema: rigSchema, code: 'RIG_FILE' } as const;

/**
 * Reads a rig file; `data`, and a serial port that begins with a dot, count from the folder that it is in.
 * @throws WhorlError RIG_FILE naming every place that is wrong, as `file:line key.path: what`
 */
export function readRig(path: string): RigFile {
  const rig = readYaml(KIND, path);
  if ('emulated' in rig) return rig;
  const from = dirname(path);
  const lines = rig.lines.map((one) =>
    one.serial?.path.startsWith('.') === true
      ? { ...one, serial: { ...one.serial, path: resolve(from, one.serial.path) } }
      : one,
  );
  return { ...rig, data: resolve(from, rig.data), lines };
}

/** Checks the text of a rig file. @throws WhorlError RIG_FILE as {@link readRig} */
export function parseRig(path: string, text: string): RigFile {
  return parseYaml(KIND, path, text);
}

/** What can be done to a terminal on a line. */
export function abilitiesOf(on: PortsLine, terminal: PortsTerminal): Ability[] {
  if (on.emulated !== undefined) return ['people', 'power', 'reset', 'cable'];
  return [
    ...(terminal.people === undefined ? [] : (['people'] as const)),
    ...(terminal.power === undefined ? [] : (['power'] as const)),
    ...(terminal.people !== undefined && terminal.reset ? (['reset'] as const) : []),
    ...(on.cable === undefined ? [] : (['cable'] as const)),
  ];
}

/** What a rig has to give. @param plan terminals that a behaviour brings to an emulated rig */
export function givesOf(rig: RigFile, consents: boolean, plan: number): Gives {
  if ('emulated' in rig)
    return {
      kind: rig.emulated,
      abilities: ['people', 'power', 'reset', 'cable'],
      terminals: plan,
      consents,
    };
  const terminals = rig.lines.flatMap((on) => on.terminals.map((one) => abilitiesOf(on, one)));
  return { kind: 'ports', abilities: [...new Set(terminals.flat())], terminals: terminals.length, consents };
}

/** Whether anybody has to be at the console. */
export function needsPerson(rig: RigFile): boolean {
  if ('emulated' in rig) return false;
  return rig.lines.some(
    ({ cable, terminals }) =>
      cable === 'person' || terminals.some(({ people, power }) => people === 'person' || power === 'person'),
  );
}
