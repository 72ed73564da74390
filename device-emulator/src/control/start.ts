import process from 'node:process';
import { systemClock } from '@whorl/protocol';
import { readFleet } from '../fleet/config.ts';
import { startFleet } from '../fleet/fleet.ts';
import { serveControl } from './server.ts';

export interface Started {
  readonly controlPort: number;
  readonly lines: readonly {
    readonly name: string;
    readonly place: string;
    readonly terminals: readonly string[];
  }[];
}

/**
 * Starts a fleet and its control in this process, to run until it is told to end.
 * @throws WhorlError as {@link readFleet}, {@link startFleet} and {@link serveControl}; then nothing is left running
 */
export async function startEmulator(options: { config: string; controlPort: number }): Promise<Started> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const fleet = await startFleet(readFleet(options.config), systemClock, { log });
  const control = await serveControl(fleet, options.controlPort).catch(async (error: unknown) => {
    await fleet.stop();
    throw error;
  });
  const stop = async (): Promise<void> => {
    await control.app.close();
    await fleet.stop();
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
