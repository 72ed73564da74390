import process from 'node:process';
import type { Command } from 'commander';
import { codeOf, decodeRun, directionOf, Runs, systemClock, WhorlError, wireMs } from '@whorl/protocol';
import { loadConfig } from '../../settings/config.ts';
import { listenSerial } from '../../lines/transports/serial.ts';
import { CaptureFile } from '../capture-file.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { readKeyFile } from '../key-file.ts';
import { Telling } from '../telling.ts';

const BAUD = 115_200;
const LOWEST_BAUD = 9_600;
const HIGHEST_BAUD = 921_600;

interface SniffOptions {
  readonly baud?: string;
  readonly write?: string;
  readonly keys?: string;
}

/** Where to listen. */
interface Place {
  readonly name: string;
  readonly path: string;
  readonly baud: number;
}

/** `whorl sniff`: what crosses a line, as it does. */
export function addSniffCommand(program: Command): void {
  program
    .command('sniff')
    .description('say what crosses a line, as it does, until Ctrl-C; nothing is written to the port')
    .argument('<port or line>', 'a serial port, or with --config the name of a line on one')
    .option('--baud <n>', `bits a second, ${BAUD} or the line’s unless given`)
    .option('--write <file>', 'also record it, as pcapng')
    .option('--keys <file>', 'opens sealed frames with the keys of this file, which only you may read')
    .addHelpText(
      'after',
      `
A port is used by one program at a time: while the gateway has the line, clip a second adapter on to it. Only its
receiver is needed. Of secrets and templates only the length is shown.

Examples:
  whorl sniff /dev/ttyUSB1 --baud 115200
  whorl sniff COM4 --write floor.pcapng
  whorl --config whorl.yaml sniff floor`,
    )
    .action(async (target: string, options: SniffOptions, command: Command) => {
      const { json } = contextOf(command);
      const { config } = command.optsWithGlobals<{ config?: string }>();
      await guarded(json, () => sniff(placeOf(target, options, config), options, json));
    });
}

/** @throws WhorlError REQUEST_INVALID, CONFIG_* */
function placeOf(target: string, options: SniffOptions, config: string | undefined): Place {
  const given = options.baud === undefined ? undefined : wholeNumber(options.baud, '--baud');
  if (given !== undefined && (given < LOWEST_BAUD || given > HIGHEST_BAUD))
    throw new WhorlError('REQUEST_INVALID', `--baud: from ${LOWEST_BAUD} to ${HIGHEST_BAUD}, not ${given}`);
  const lines = config === undefined ? [] : loadConfig(config).site.lines;
  const line = lines.find(({ name }) => name === target);
  if (line === undefined) return { name: target, path: target, baud: given ?? BAUD };
  if (line.over.kind !== 'serial')
    throw new WhorlError('REQUEST_INVALID', `line ${target} is on no serial port`);
  return { name: target, path: line.over.path, baud: given ?? line.over.baud };
}

/** @throws WhorlError SNIFF_PORT, FILE_WRITE, FILE_READ, KEYS_* */
async function sniff({ name, path, baud }: Place, options: SniffOptions, json: boolean): Promise<void> {
  const keys = options.keys === undefined ? undefined : readKeyFile(options.keys);
  const telling = new Telling(json);
  let file: CaptureFile | undefined;
  const runs = new Runs(1000 * wireMs(1, baud), ({ timeUs, bytes }) => {
    const decoded = decodeRun(bytes, keys);
    const direction = directionOf(decoded);
    file?.packet({ timeUs, direction, bytes });
    telling.tell({ timeUs, direction, decoded });
  });
  const ended = Promise.withResolvers<undefined>();
  const startMs = systemClock.wallTime() - systemClock.now();
  const stop = await listenSerial(
    { path, baud },
    {
      bytes(bytes) {
        try {
          runs.push(bytes, 1000 * (startMs + systemClock.now()), undefined);
        } catch (error) {
          ended.reject(error);
        }
      },
      closed(reason) {
        ended.reject(new WhorlError('SNIFF_PORT', reason));
      },
    },
  ).catch((cause: unknown) => {
    throw codeOf(cause) === 'LINE_OPEN'
      ? new WhorlError('SNIFF_PORT', cause instanceof Error ? cause.message : '', { cause })
      : cause;
  });
  try {
    if (options.write !== undefined) file = new CaptureFile(options.write, { name, baud });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => {
        ended.resolve(undefined);
      });
    if (!json) console.error(`Listening at ${path}, ${baud} baud; Ctrl-C ends it.`);
    await ended.promise;
    runs.end();
  } finally {
    stop();
    file?.close();
    telling.sum();
  }
}
