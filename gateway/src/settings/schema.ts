import { z } from 'zod';
import { backupSchema } from './backup.ts';
import { databaseSchema } from './database.ts';
import { httpSchema } from './http.ts';
import { modbusSchema } from './modbus.ts';
import { mqttSchema } from './mqtt.ts';
import { SERIAL_PATH } from './serial-path.ts';
import { sitesSchema } from './sites.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'small letters, digits and dashes, at most 32');
const port = z.int().min(1).max(65_535);

const terminal = z.strictObject({
  name: name.describe('What people call it.'),
  address: z.int().min(1).max(247).default(1).describe('Its address on the line.'),
  groups: z.array(z.int().min(1).max(65_535)).default([]).describe('Access groups that reach it.'),
});

const serial = z.strictObject({
  path: z.string().min(1).describe(SERIAL_PATH),
  baud: z.int().min(9600).max(921_600).default(115_200).describe('Bits a second, 8N1.'),
  turnaroundMs: z
    .number()
    .min(0)
    .max(1000)
    .default(2)
    .describe('Longest time a terminal takes from hearing to speaking.'),
  latencyMs: z
    .number()
    .min(0)
    .max(5000)
    .default(40)
    .describe('What adapter and machine may add to an exchange.'),
});

const tcp = z.strictObject({
  host: z.string().min(1).describe('Name or address of the terminal, or of a serial device server.'),
  port,
  baud: z
    .int()
    .min(9600)
    .max(921_600)
    .optional()
    .describe('When a line stands behind a device server: its baud rate.'),
  turnaroundMs: z.number().min(0).max(1000).default(2),
  latencyMs: z.number().min(0).max(60_000).default(1000).describe('What the network may add to an exchange.'),
});

const dialIn = z.strictObject({
  serial: z.string().min(1).max(32).describe('Serial number of the terminal that dials in.'),
  latencyMs: z.number().min(0).max(60_000).default(1000),
});

const line = z
  .strictObject({
    name: name.describe('What people call the line.'),
    serial: serial.optional(),
    tcp: tcp.optional(),
    dialIn: dialIn.optional(),
    terminals: z.array(terminal).min(1).max(32),
  })
  .refine((one) => [one.serial, one.tcp, one.dialIn].filter((way) => way !== undefined).length === 1, {
    message: 'name exactly one of serial, tcp and dialIn',
  });

/** The configuration file. */
export const configSchema = z.strictObject({
  gateway: z
    .strictObject({ name: name.default('whorl') })
    .prefault({})
    .describe('This gateway.'),
  data: z
    .string()
    .default('./data')
    .describe('Directory of database, keys and socket, relative to this file.'),
  database: databaseSchema
    .optional()
    .describe('A PostgreSQL server for the tables; by default they are a file in `data`.'),
  listen: z
    .strictObject({ host: z.string().default('0.0.0.0'), port })
    .optional()
    .describe('Where terminals dial in.'),
  lines: z.array(line).describe('Lines and their terminals.'),
  modbus: modbusSchema.default([]).describe('Modbus: supply, battery and contacts of terminals; modules.'),
  http: httpSchema.prefault({}).describe('The API for other machines and programs.'),
  mqtt: mqttSchema.prefault({}).describe('Events for other programs.'),
  site: sitesSchema.prefault({}).describe('Master and satellites: many sites with the same users.'),
  backup: backupSchema.optional().describe('Backups by itself; none without it.'),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
});

export type ConfigFile = z.infer<typeof configSchema>;

/** For editors and for `whorl config schema`. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input' });
}
