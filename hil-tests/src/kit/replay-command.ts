import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { modelNamed } from '@whorl/device-emulator';
import {
  codeOf,
  counted,
  describe,
  fitted,
  isCapture,
  KeyRing,
  readCapture,
  readKeys,
  reasonOf,
  textOf,
  WhorlError,
} from '@whorl/protocol';
import type { CapturedPacket } from '@whorl/protocol';
import type { Deviation } from '../replay/compare.ts';
import { judge } from '../replay/firmware.ts';
import type { Difference, Judged } from '../replay/firmware.ts';
import { recordingOf } from '../replay/from-capture.ts';
import { readRecording } from '../replay/recording.ts';
import type { Recording } from '../replay/recording.ts';
import { replay } from '../replay/replay.ts';

export interface ReplayWords {
  readonly keyLog?: string;
  readonly save?: string;
  /** Model of the terminals that the gateway's side is played to. */
  readonly terminals?: string;
  readonly firmware?: string;
  readonly json?: boolean;
}

/** Bytes of the salt of pseudonyms: kept nowhere. */
const SALT_BYTES = 32;

/**
 * Plays a capture, or a recording that was kept of one, to a gateway, or to terminals of a model, and tells what came
 * otherwise.
 * @returns whether everything came as recorded, and nothing of the recording is lost
 * @throws WhorlError FILE_READ, FILE_WRITE, CAPTURE_*, KEYS_*, REPLAY_*
 */
export async function replayFile(path: string, words: ReplayWords): Promise<boolean> {
  const { keyLog, save, json } = words;
  const bytes = read(path);
  const { recording, damage } = isCapture(bytes)
    ? recorded(path, bytes, keyLog)
    : { recording: readRecording(path), damage: undefined };
  if (save !== undefined) write(save, `${JSON.stringify(recording, undefined, 1)}\n`);
  // What stands before the damage is sound, and played; that there was more is told, and is no success.
  if (damage !== undefined)
    process.stderr.write(
      `${fitted(`CAPTURE_DAMAGED: ${path}: ${damage}; what stands before is played`, process.stderr.columns)}\n`,
    );
  if (words.terminals !== undefined)
    return (await judged(path, { recording, damage }, words)) && damage === undefined;
  const { same, deviations } = await replay(recording);
  const { packets, unopened, lastsMs, seats } = recording;
  process.stdout.write(
    json
      ? `${JSON.stringify({ file: path, packets, unopened, terminals: seats.length, ms: lastsMs, damage, same, deviations })}\n`
      : `${fitted(shown(recording, same, deviations), process.stdout.columns)}\n`,
  );
  return deviations.length === 0 && damage === undefined;
}

/** Plays the gateway's side to terminals of a model. */
async function judged(
  path: string,
  { recording, damage }: Recorded,
  { terminals = '', firmware, json }: ReplayWords,
): Promise<boolean> {
  const { same, unsaid, first } = await judge(recording, modelNamed(terminals, firmware));
  const { packets, seats, lastsMs: ms } = recording;
  process.stdout.write(
    json
      ? `${JSON.stringify({ file: path, packets, terminals: seats.length, ms, damage, same, unsaid, first })}\n`
      : `${fitted(judgement(recording, { same, unsaid, first }), process.stdout.columns)}\n`,
  );
  return first === undefined;
}

function judgement(
  { packets, seats, lastsMs }: Recording,
  { same, unsaid, first }: Omit<Judged, 'first'> & { readonly first: Difference | undefined },
): string {
  const head = `${counted(packets, 'packet')} of ${counted(seats.length, 'terminal')}, ${(lastsMs / 1000).toFixed(1)} s`;
  const left =
    unsaid === 0
      ? ''
      : `; ${counted(unsaid, 'frame that was', 'frames that were')} said before a session is opened left out`;
  const sum = `${head}\n${counted(same, 'answer')} as recorded${left}`;
  if (first === undefined) return sum;
  const { packet, atMs, line, address, asked, expected = ['nothing'], got = ['nothing'] } = first;
  const where = `The first that is not: packet ${packet}, ${(atMs / 1000).toFixed(3)} s, line ${line}, terminal ${address}`;
  const rows = Array.from({ length: Math.max(expected.length, got.length) }, (_, i) => {
    const [a = '', b = ''] = [expected[i], got[i]];
    return [a === b ? '' : '≠', a, b];
  });
  return `${sum}\n\n${where}\nAsked: ${asked.join(', ')}\n\n${aligned([['', 'recorded', 'this firmware'], ...rows])}`;
}

interface Recorded {
  readonly recording: Recording;
  /** Where a capture is damaged, and how. */
  readonly damage: string | undefined;
}

function recorded(path: string, bytes: Uint8Array, keyLog: string | undefined): Recorded {
  const keys = new KeyRing(keyLog === undefined ? [] : keysIn(keyLog));
  const captured: CapturedPacket[] = [];
  let damage: string | undefined;
  try {
    for (const packet of readCapture(bytes)) captured.push(packet);
  } catch (error) {
    if (codeOf(error) !== 'CAPTURE_DAMAGED') throw error;
    damage = textOf(error);
  }
  try {
    return { recording: recordingOf({ captured, keys, salt: randomBytes(SALT_BYTES) }), damage };
  } catch (cause) {
    if (damage === undefined || codeOf(cause) !== 'REPLAY_EMPTY') throw cause;
    const before = `what stands before cannot be played: ${textOf(cause)}`;
    throw new WhorlError('CAPTURE_DAMAGED', `${path}: ${damage}; ${before}`, { cause });
  }
}

function keysIn(path: string): ReturnType<typeof readKeys> {
  const text = Buffer.from(read(path)).toString('utf8');
  // Windows has no such bits; there the folder's access list protects the file.
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    throw new WhorlError('KEYS_OPEN', path);
  return readKeys(text);
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new WhorlError('FILE_READ', `${path}: ${reasonOf(cause)}`, { cause });
  }
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new WhorlError('FILE_WRITE', `${path}: ${describe(cause)}`, { cause });
  }
}

function shown(recording: Recording, same: number, deviations: readonly Deviation[]): string {
  const { packets, seats, lastsMs, unopened } = recording;
  const sealed = unopened === 0 ? '' : `; ${counted(unopened, 'packet')} sealed, and no key opened them`;
  const head = `${counted(packets, 'packet')} of ${counted(seats.length, 'terminal')}, ${(lastsMs / 1000).toFixed(1)} s${sealed}`;
  const sum = `${counted(same, 'message')} as recorded, ${deviations.length} otherwise`;
  if (deviations.length === 0) return `${head}\n${sum}`;
  const rows = deviations.map((one) => [
    String(one.packet),
    `${(one.atMs / 1000).toFixed(3)} s`,
    one.line,
    one.address === 0 ? 'all' : String(one.address),
    one.from === 'gateway' ? '→' : '←',
    one.expected ?? 'nothing',
    one.got ?? 'nothing',
  ]);
  return `${head}\n${sum}\n\n${aligned([['packet', 'time', 'line', 'terminal', '', 'expected', 'got'], ...rows])}`;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
