import process from 'node:process';
import type { Command } from 'commander';
import {
  codeOf,
  decodeRun,
  directionOf,
  nearest,
  Runs,
  systemClock,
  WhorlError,
  wireMs,
} from '@whorl/protocol';
import type { CapturedLine, Direction } from '@whorl/protocol';
import type { Crossing } from '../../http/traffic.ts';
import { loadConfig } from '../../settings/config.ts';
import type { LineOver } from '../../settings/site.ts';
import type { GatewayStatus } from '../../sync/operations.ts';
import { CaptureFile } from '../capture-file.ts';
import type { Client } from '../client.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { readKeyFile } from '../key-file.ts';
import { Telling } from '../telling.ts';

const BAUD = 115_200;
const LOWEST_BAUD = 9_600;
const HIGHEST_BAUD = 921_600;

/** What is a port and cannot be the name of a line. */
const PORT = /[/\\]|^COM\d+$/i;

interface SniffOptions {
  readonly baud?: string;
  readonly write?: string;
  readonly keys?: string;
  readonly idle: boolean;
}

/** A way to a gateway, and to what its lines are when it does not run. */
interface Way {
  readonly client: () => Client;
  readonly config: string | undefined;
}

/** Somewhere to listen. */
interface Place extends CapturedLine {
  /** In words. */
  readonly where: string;
  /**
   * Hands over what crosses until it is stopped.
   * @returns what stops it
   * @throws WhorlError with the reason
   */
  listen(
    take: (bytes: Uint8Array, timeUs: number, direction: Direction | undefined) => void,
    failed: (error: unknown) => void,
  ): Promise<() => void>;
}

/** `whorl sniff`: what crosses a line, as it does. */
export function addSniffCommand(program: Command): void {
  program
    .command('sniff')
    .description('say what crosses a line, as it does, until Ctrl-C; nothing is sent')
    .argument('<line or port>', 'a line of the running gateway, or a serial port')
    .option('--baud <n>', `bits a second of a serial port; ${BAUD} unless given`)
    .option('--write <file>', 'also record it, as pcapng')
    .option('--keys <file>', 'opens sealed frames with the keys of this file, which only you may read')
    .option('--no-idle', 'leave out what a line says while nothing happens; it is recorded all the same')
    .addHelpText(
      'after',
      `
A line is listened to inside the gateway that has it. Without one, name the
port, or the file with --config that has the line. A port is used by one
program at a time: beside a gateway, clip a second adapter on to the line;
only its receiver is needed. Of secrets and templates only the length is
shown.

Examples:
  whorl sniff floor --no-idle
  whorl sniff floor --write floor.pcapng
  whorl sniff /dev/ttyUSB1 --baud 115200
  whorl sniff COM4`,
    )
    .action(async (target: string, options: SniffOptions, command: Command) => {
      const context = contextOf(command);
      const { config } = command.optsWithGlobals<{ config?: string }>();
      await guarded(context, async () => {
        const place = await placeOf(target, options.baud, { client: () => context.client, config });
        await sniff(place, options, context.json);
      });
    });
}

/** @throws WhorlError REQUEST_INVALID, CONFIG_*, LINE_UNKNOWN, GATEWAY_UNREACHABLE */
async function placeOf(target: string, baudGiven: string | undefined, way: Way): Promise<Place> {
  const baud = baudGiven === undefined ? undefined : wholeNumber(baudGiven, '--baud');
  if (baud !== undefined && (baud < LOWEST_BAUD || baud > HIGHEST_BAUD))
    throw new WhorlError('REQUEST_INVALID', `--baud: from ${LOWEST_BAUD} to ${HIGHEST_BAUD}, not ${baud}`);
  if (PORT.test(target) || baud !== undefined) return portPlace(target, { path: target, baud: baud ?? BAUD });
  try {
    const { lines } = await way.client().get<GatewayStatus>('/status');
    const names = lines.map(({ name }) => name);
    if (names.includes(target)) return gatewayPlace(target, way.client());
    const meant = nearest(target, names);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    throw new WhorlError('LINE_UNKNOWN', `no line is called ${target}${hint}`);
  } catch (error) {
    const over = codeOf(error) === 'GATEWAY_UNREACHABLE' ? overOf(target, way.config) : undefined;
    if (over?.kind !== 'serial') throw error;
    return portPlace(target, over);
  }
}

/** How a configuration file says that a line is reached. @throws WhorlError CONFIG_* */
function overOf(line: string, config: string | undefined): LineOver | undefined {
  if (config === undefined) return undefined;
  return loadConfig(config).site.lines.find(({ name }) => name === line)?.over;
}

function portPlace(name: string, port: { readonly path: string; readonly baud: number }): Place {
  return {
    name,
    baud: port.baud,
    where: `${port.path}, ${port.baud} baud`,
    async listen(take, failed) {
      // Only here: what opens ports takes a while to load.
      const { listenSerial } = await import('../../lines/transports/serial.ts');
      const startMs = systemClock.wallTime() - systemClock.now();
      const events = {
        bytes: (bytes: Uint8Array) => take(bytes, 1000 * (startMs + systemClock.now()), undefined),
        closed: (reason: string) => failed(new WhorlError('SNIFF_PORT', reason)),
      };
      return listenSerial(port, events).catch((cause: unknown) => {
        throw codeOf(cause) === 'LINE_OPEN'
          ? new WhorlError('SNIFF_PORT', cause instanceof Error ? cause.message : '', { cause })
          : cause;
      });
    },
  };
}

function gatewayPlace(line: string, client: Client): Place {
  return {
    name: line,
    where: `line ${line}, in the gateway`,
    async listen(take, failed) {
      const stop = new AbortController();
      const told = (text: string): void => {
        const { timeUs, direction, bytes, lost = 0 } = JSON.parse(text) as Crossing;
        if (lost > 0) console.error(`(${lost} pieces were lost here: they came faster than they were read)`);
        take(Uint8Array.from(Buffer.from(bytes, 'hex')), timeUs, direction);
      };
      client.follow(`/lines/${encodeURIComponent(line)}/traffic`, {}, told, stop.signal).then(
        () => failed(new WhorlError('GATEWAY_UNREACHABLE', 'the gateway has ended')),
        (error: unknown) => {
          if (!stop.signal.aborted) failed(error);
        },
      );
      return () => stop.abort();
    },
  };
}

/** @throws WhorlError SNIFF_PORT, FILE_WRITE, FILE_READ, KEYS_*, GATEWAY_* */
async function sniff(place: Place, options: SniffOptions, json: boolean): Promise<void> {
  const keys = options.keys === undefined ? undefined : readKeyFile(options.keys);
  const telling = new Telling({ json, idle: options.idle });
  const over = Promise.withResolvers<undefined>();
  let file: CaptureFile | undefined;
  const byteUs = place.baud === undefined ? 0 : 1000 * wireMs(1, place.baud);
  const runs = new Runs(byteUs, (run) => {
    const decoded = decodeRun(run.bytes, keys);
    const direction = directionOf(decoded) ?? run.direction;
    file?.packet({ ...run, direction });
    telling.tell({ timeUs: run.timeUs, direction, decoded });
  });
  const take: Parameters<Place['listen']>[0] = (bytes, timeUs, direction) => {
    try {
      runs.push(bytes, timeUs, direction);
    } catch (error) {
      over.reject(error);
    }
  };
  const stop = await place.listen(take, over.reject);
  try {
    if (options.write !== undefined) file = new CaptureFile(options.write, place);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => over.resolve(undefined));
    if (!json) console.error(`Listening at ${place.where}; Ctrl-C ends it.`);
    await over.promise;
  } finally {
    stop();
    runs.end();
    file?.close();
    telling.sum();
  }
}
