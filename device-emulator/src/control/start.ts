import process from 'node:process';
import { systemClock } from '@whorl/protocol';
import { readFleet } from '../fleet/config.ts';
import { startFleet } from '../fleet/fleet.ts';
import { logKeysTo, recordTo } from './recording.ts';
import { serveControl } from './server.ts';

export interface Started {
  readonly controlPort: number;
  readonly lines: readonly {
    readonly name: string;
    readonly place: string;
    readonly terminals: readonly string[];
  }[];
}

export interface StartOptions {
  readonly config: string;
  readonly controlPort: number;
  /** File that all that crosses the lines is recorded to. */
  readonly capture?: string | undefined;
  /** File that the keys of all sessions are appended to. */
  readonly keyLog?: string | undefined;
}

/**
 * Starts a fleet and its control in this process, to run until it is told to end.
 * @throws WhorlError FILE_WRITE, KEYS_OPEN, and as {@link readFleet}, {@link startFleet} and {@link serveControl}; then nothing is left running
 */
export async function startEmulator(options: StartOptions): Promise<Started> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const { capture, keyLog } = options;
  const config = readFleet(options.config);
  const tellKeys = keyLog === undefined ? undefined : logKeysTo(keyLog, log);
  if (keyLog !== undefined) log(`Keys go to ${keyLog}: whoever has it reads what crosses these lines.`);
  const recording = capture === undefined ? undefined : recordTo(capture, systemClock, log);
  const fleet = await startFleet(config, systemClock, { log, tap: recording?.line, tellKeys });
  const control = await serveControl(fleet, options.controlPort).catch(async (error: unknown) => {
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
  const lines = [...fleet.lines.values()].map(({ name, cable, terminals }) => ({
    name,
    place: cable.place,
    terminals: [...terminals.keys()],
  }));
  return { controlPort: control.port, lines };
}
