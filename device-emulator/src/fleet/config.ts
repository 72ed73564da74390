import { readFileSync } from 'node:fs';
import { WhorlError } from '@whorl/protocol';
import { parse } from 'yaml';
import { z } from 'zod';
import { MODELS } from '../firmware/model.ts';
import type { ModelName } from '../firmware/model.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'small letters, digits and dashes, at most 32');
const place = z.strictObject({
  host: z.string().default('127.0.0.1'),
  port: z.int().min(0).max(65_535),
});

const terminal = z.strictObject({
  name,
  address: z.int().min(1).max(247).default(1),
  serial: z.string().min(1).max(32),
  model: z.enum(Object.keys(MODELS) as [ModelName, ...ModelName[]]).default('finger-10k'),
  /** Most users, when fewer than the model's. */
  capacity: z.int().min(1).max(100_000).optional(),
  /** Users it holds when it is new: ids 1 to this. */
  users: z.int().min(0).max(100_000).default(0),
});

const line = z
  .strictObject({
    name,
    pty: z.strictObject({ link: z.string() }).optional(),
    listen: place.optional(),
    dial: place.optional(),
    /** Bits a second; without it bytes take no time, as on TCP. */
    baud: z.int().min(9600).max(921_600).optional(),
    turnaroundMs: z.number().min(0).max(1000).default(1),
    terminals: z.array(terminal).min(1),
  })
  .refine(
    (one) => [one.pty, one.listen, one.dial].filter((way) => way !== undefined).length === 1,
    'name one of pty, listen and dial',
  );

export const fleetSchema = z.strictObject({
  seed: z.int().default(1),
  /** Where the terminals keep what they hold; in memory when absent. */
  data: z.string().optional(),
  lines: z.array(line).min(1),
});

export type FleetConfig = z.infer<typeof fleetSchema>;
export type FleetLine = FleetConfig['lines'][number];
export type FleetTerminal = FleetLine['terminals'][number];

/** Reads a fleet file. @throws WhorlError FLEET_FILE naming each place */
export function readFleet(path: string): FleetConfig {
  let contents: unknown;
  try {
    contents = parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new WhorlError('FLEET_FILE', `${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  const parsed = fleetSchema.safeParse(contents);
  if (parsed.success) return checkedNames(path, parsed.data);
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`,
  );
  throw new WhorlError('FLEET_FILE', `${path}: ${problems.join('; ')}`);
}

function checkedNames(path: string, fleet: FleetConfig): FleetConfig {
  const seen = new Set<string>();
  for (const one of [...fleet.lines, ...fleet.lines.flatMap((each) => each.terminals)]) {
    if (seen.has(one.name))
      throw new WhorlError('FLEET_FILE', `${path}: the name ${one.name} is given twice`);
    seen.add(one.name);
  }
  return fleet;
}
