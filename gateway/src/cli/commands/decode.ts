import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { decodeRun, isCapture, LINK_TYPE, readCapture, Runs, WhorlError } from '@whorl/protocol';
import type { KeyRing, ShownPacket } from '@whorl/protocol';
import { contextOf, guarded } from '../context.ts';
import { readFile } from '../files.ts';
import { readKeyFile } from '../key-file.ts';
import { Telling } from '../telling.ts';

const HEX = /^(?:[\s:,]|0x|[0-9a-f]{2})*$/i;
const STDIN = 0;

/** `whorl decode`: what crossed a line, of bytes or a file. */
export function addDecodeCommand(program: Command): void {
  program
    .command('decode')
    .description(
      'say what bytes on a line mean: hex, a capture in pcapng, or raw bytes of a file; - for stdin',
    )
    .argument('<hex or file...>')
    .option('--keys <file>', 'opens sealed frames with the keys of this file, which only you may read')
    .option('--no-idle', 'leave out what a line says while nothing happens: invitations')
    .addHelpText(
      'after',
      `
Of secrets and templates only the length is shown. A line has time, line,
direction and address, marks (* opened with a key, ! attention,
? invitation), number, and the message.

Examples:
  whorl decode 07 40 07 34 12 31 05 01 01 05 65 5d f3 8b 00
  whorl decode floor.pcapng --keys site.keys
  whorl --json decode - < floor.bin`,
    )
    .action(async (words: string[], options: { keys?: string; idle: boolean }, command: Command) => {
      const context = contextOf(command);
      const { json } = context;
      await guarded(context, async () => {
        const keys = options.keys === undefined ? undefined : readKeyFile(options.keys);
        const bytes = bytesOf(words);
        const telling = new Telling({ json, idle: options.idle });
        try {
          for (const packet of packetsOf(bytes, keys)) telling.tell(packet);
        } finally {
          telling.sum();
        }
      });
    });
}

/** @throws WhorlError FILE_READ, USAGE */
function bytesOf(words: readonly string[]): Uint8Array {
  const [first = '', ...others] = words;
  const text = words.join(' ');
  if (others.length === 0 && first === '-') return unhexed(readFileSync(STDIN));
  if (others.length === 0 && (existsSync(first) || !HEX.test(first))) return unhexed(readFile(first));
  if (!HEX.test(text)) throw new WhorlError('USAGE', `${text}: neither a file nor bytes in hex`);
  return fromHex(text);
}

/** Bytes that are written down in hex are meant: a line that carried nothing but such text is none of ours. */
function unhexed(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return text.trim() !== '' && HEX.test(text) ? fromHex(text) : new Uint8Array(bytes);
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/0x|[\s:,]/gi, ''), 'hex'));
}

/** Decoded at once: what a large file holds does not stand in memory twice. */
const PIECE_BYTES = 4_096;

/** @throws WhorlError CAPTURE_DAMAGED, behind the packets that are sound */
function* packetsOf(bytes: Uint8Array, keys: KeyRing | undefined): Generator<ShownPacket> {
  if (isCapture(bytes)) {
    for (const { linkType, line, timeUs, direction, bytes: run } of readCapture(bytes))
      if (linkType === LINK_TYPE) yield { timeUs, direction, line: line.name, decoded: decodeRun(run, keys) };
    return;
  }
  const runs: Uint8Array[] = [];
  const cutter = new Runs(0, (run) => runs.push(run.bytes));
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    cutter.push(bytes.subarray(at, at + PIECE_BYTES), 0, undefined);
    for (const run of runs.splice(0)) yield { decoded: decodeRun(run, keys) };
  }
  cutter.end();
  for (const run of runs) yield { decoded: decodeRun(run, keys) };
}
