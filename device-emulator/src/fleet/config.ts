import { dirname, resolve } from 'node:path';
import { isModelPath } from '../models/built-in.ts';
import { parseYaml, readYaml } from '../values/yaml.ts';
import { fleetSchema } from './schema.ts';
import type { FleetConfig } from './schema.ts';

const KIND = { schema: fleetSchema, code: 'FLEET_FILE' } as const;

/**
 * Reads a fleet file; its paths count from the folder that it is in.
 * @throws WhorlError FLEET_FILE naming every place that is wrong, as `file:line key.path: what`
 */
export function readFleet(path: string): FleetConfig {
  const config = readYaml(KIND, path);
  const from = (relative: string): string => resolve(dirname(path), relative);
  return {
    ...config,
    data: config.data === undefined ? undefined : from(config.data),
    lines: config.lines.map((line) => ({
      ...line,
      ...(line.pty === undefined ? {} : { pty: { link: from(line.pty.link) } }),
      terminals: line.terminals.map((one) => ({
        ...one,
        ...(one.from === undefined ? {} : { from: from(one.from) }),
        ...(one.model !== undefined && isModelPath(one.model) ? { model: from(one.model) } : {}),
      })),
    })),
    modbus: config.modbus.map((bus) =>
      bus.pty === undefined ? bus : { ...bus, pty: { link: from(bus.pty.link) } },
    ),
  };
}

/** Checks the text of a fleet file. @throws WhorlError FLEET_FILE as {@link readFleet} */
export function parseFleet(path: string, text: string): FleetConfig {
  return parseYaml(KIND, path, text);
}
