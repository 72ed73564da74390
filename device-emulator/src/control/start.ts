import process from 'node:process';
import { systemClock } from '@whorl/protocol';
import type { Cable } from '../bus/cable.ts';
import { isListening } from '../bus/tcp.ts';
import { startFleet } from '../fleet/fleet.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { hold } from '../fleet/hold.ts';
import type { FleetConfig, FleetLine } from '../fleet/schema.ts';
import { logKeysTo, recordTo } from './recording.ts';
import { serveControl } from './server.ts';

/** Where a gateway finds a line. */
export type StartedPlace =
  { readonly path: string } | { readonly host: string; readonly port: number } | { readonly dials: string };

export type StartedLine = StartedPlace & {
  readonly name: string;
  /** In words. */
  readonly place: string;
  readonly terminals: readonly string[];
};

export interface Started {
  readonly controlPort: number;
  readonly lines: readonly StartedLine[];
}

export interface StartOptions {
  readonly controlPort: number;
  /** Loopback when not given. */
  readonly controlHost?: string | undefined;
  /** File that all that crosses the lines is recorded to. */
  readonly capture?: string | undefined;
  /** File that the keys of all sessions are appended to. */
  readonly keyLog?: string | undefined;
}

/**
 * Starts a fleet and its control in this process, to run until it is told to end.
 * @throws WhorlError EMULATOR_TAKEN, FILE_WRITE, KEYS_OPEN, and as {@link startFleet} and {@link serveControl}; then nothing is left running
 */
export async function startEmulator(config: FleetConfig, options: StartOptions): Promise<Started> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const { capture, keyLog, controlPort, controlHost } = options;
  await hold(capture === undefined ? [] : [capture]);
  const tellKeys = keyLog === undefined ? undefined : logKeysTo(keyLog, log);
  if (keyLog !== undefined) log(`Keys go to ${keyLog}: whoever has it reads what crosses these lines.`);
  if (controlHost !== undefined)
    log(`Whoever reaches ${controlHost} port ${controlPort} can do all to these terminals that can be done.`);
  const recording = capture === undefined ? undefined : recordTo(capture, systemClock, log);
  const fleet = await startFleet(config, systemClock, { log, tap: recording?.line, tellKeys });
  const place = { port: controlPort, host: controlHost };
  const control = await serveControl(fleet, place).catch(async (error: unknown) => {
    await fleet.stop();
    throw error;
  });
  const stop = async (): Promise<void> => {
    await control.app.close();
    await fleet.stop();
    recording?.end();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
  return { controlPort: control.port, lines: config.lines.map((line) => started(line, fleet)) };
}

function started(config: FleetLine, fleet: Fleet): StartedLine {
  const { name, cable, terminals } = fleet.line(config.name);
  return { name, place: cable.place, ...placeOf(config, cable), terminals: [...terminals.keys()] };
}

function placeOf({ pty, dial, listen }: FleetLine, cable: Cable): StartedPlace {
  if (pty !== undefined) return { path: pty.link };
  if (dial !== undefined) return { dials: `${dial.host}:${dial.port}` };
  const host = listen?.host ?? '';
  return { host, port: isListening(cable) ? cable.port() : (listen?.port ?? 0) };
}
