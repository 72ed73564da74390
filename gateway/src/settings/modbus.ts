import { ADDRESS_MAX, REGISTER_KINDS } from '@whorl/protocol';
import type { RegisterKind } from '@whorl/protocol';
import { z } from 'zod';
import { resolveSerial, SERIAL_PATH } from './serial-path.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'small letters, digits and dashes, at most 32');
const port = z.int().min(1).max(65_535);
const MOST_REGISTERS = 200;

const register = z
  .strictObject({
    name: name.describe('What people call it.'),
    kind: z.enum(Object.keys(REGISTER_KINDS) as [RegisterKind, ...RegisterKind[]]),
    address: z.int().min(0).max(0xffff).describe('From 0; manuals that count from 40001 mean 0.'),
    scale: z.number().default(1).describe('What a value is multiplied by.'),
    unit: z.string().max(8).optional().describe('Of the scaled value, such as °C.'),
    write: z.boolean().default(false).describe('People may set it: a relay.'),
  })
  .refine((one) => !one.write || one.kind === 'coil' || one.kind === 'holding', {
    message: 'only coils and holding registers can be written',
    path: ['write'],
  });

const unit = z.int().min(1).max(ADDRESS_MAX).describe('Its Modbus address.');

const module = z.strictObject({
  name: name.describe('What people call it.'),
  unit,
  registers: z.array(register).min(1).max(MOST_REGISTERS),
});

const serial = z.strictObject({
  path: z.string().min(1).describe(SERIAL_PATH),
  baud: z.int().min(9600).max(921_600).default(19_200).describe('Bits a second, 8N1.'),
  turnaroundMs: z.number().min(0).max(1000).default(50).describe('Longest that a unit thinks.'),
  latencyMs: z.number().min(0).max(5000).default(40).describe('What adapter and machine may add.'),
});

const tcp = z.strictObject({
  host: z.string().min(1),
  port: port.default(502),
  turnaroundMs: z.number().min(0).max(1000).default(50).describe('Longest that a unit thinks.'),
  latencyMs: z.number().min(0).max(60_000).default(1000).describe('What the network may add.'),
});

const bus = z
  .strictObject({
    name: name.describe('What people call the bus.'),
    line: z.string().optional().describe('Name of the line whose wire it shares.'),
    serial: serial.optional(),
    tcp: tcp.optional(),
    every: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(1000)
      .describe('From one reading to the next, milliseconds.'),
    terminals: z
      .array(z.string())
      .default([])
      .describe(
        'Terminals whose supply, battery, tamper, door and dock are read here; their unit is their address.',
      ),
    modules: z.array(module).default([]).describe('Modules with contacts and relays.'),
  })
  .refine((one) => [one.line, one.serial, one.tcp].filter((way) => way !== undefined).length === 1, {
    message: 'name exactly one of line, serial and tcp',
  });

export const modbusSchema = z.array(bus);

export type ModbusBusConfig = z.infer<typeof bus>;

/** @param directory of the configuration file, from which serial ports may count */
export function resolveModbus(buses: readonly ModbusBusConfig[], directory: string): ModbusBusConfig[] {
  return buses.map((one) =>
    one.serial === undefined ? one : { ...one, serial: resolveSerial(one.serial, directory) },
  );
}
export type ModuleConfig = z.infer<typeof module>;
export type RegisterConfig = ModuleConfig['registers'][number];

interface Clash {
  readonly keys: readonly (string | number)[];
  readonly text: string;
}

interface Lines {
  readonly name: string;
  readonly serial?: unknown;
  readonly tcp?: { readonly baud?: number | undefined } | undefined;
  readonly terminals: readonly { readonly name: string; readonly address: number }[];
}

/** What the schema of the buses cannot say. */
export function modbusClashes(buses: readonly ModbusBusConfig[], lines: readonly Lines[]): Clash[] {
  const clashes: Clash[] = [];
  const names = new Set(lines.flatMap((line) => line.terminals.map((one) => one.name)));
  const busNames = new Set(lines.map((line) => line.name));
  for (const [i, one] of buses.entries()) {
    const at = ['modbus', i] as const;
    if (busNames.has(one.name))
      clashes.push({ keys: [...at, 'name'], text: `another line or bus is called ${one.name}` });
    busNames.add(one.name);
    const shared = lines.find((line) => line.name === one.line);
    if (one.line !== undefined && (shared === undefined || !isWire(shared)))
      clashes.push({ keys: [...at, 'line'], text: `no line with a wire of its own is called ${one.line}` });
    const units = new Set<number>();
    const claim = (unit: number, keys: readonly (string | number)[]): void => {
      if (units.has(unit)) clashes.push({ keys, text: `another unit of this bus has address ${unit}` });
      units.add(unit);
    };
    for (const [j, terminal] of one.terminals.entries()) {
      const keys = [...at, 'terminals', j];
      const found = lines.flatMap((line) => line.terminals).find((known) => known.name === terminal);
      if (found === undefined) clashes.push({ keys, text: `no terminal is called ${terminal}` });
      else claim(found.address, keys);
    }
    for (const [j, { name: called, unit: address, registers }] of one.modules.entries()) {
      const keys = [...at, 'modules', j];
      if (names.has(called))
        clashes.push({ keys: [...keys, 'name'], text: `another terminal or module is called ${called}` });
      names.add(called);
      claim(address, [...keys, 'unit']);
      const known = new Set<string>();
      for (const [k, { name: register_ }] of registers.entries()) {
        if (known.has(register_))
          clashes.push({
            keys: [...keys, 'registers', k, 'name'],
            text: `another register is called ${register_}`,
          });
        known.add(register_);
      }
    }
  }
  return clashes;
}

/** Modbus RTU needs byte times: a serial port, or a device server with a wire behind it. */
function isWire(line: Lines): boolean {
  return line.serial !== undefined || line.tcp?.baud !== undefined;
}
