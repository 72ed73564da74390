import { Medium, memoryPair, MODELS } from '@whorl/device-emulator';
import type { Model, Terminal } from '@whorl/device-emulator';
import {
  BROADCAST,
  captureHead,
  decodeMessage,
  KeyRing,
  readCapture,
  seededRandom,
  VirtualClock,
} from '@whorl/protocol';
import type { LoggedKeys } from '@whorl/protocol';
import { Fates } from './fates.ts';
import { readPackets } from './packets.ts';
import type { Answer, Ask, Recording } from './recording.ts';
import { doneThere, nameOf, tapped, terminalOf } from './stage.ts';
import { toldLines } from './told.ts';
import { Voice } from './voice.ts';

const SEED = 1;
const AFTER_MS = 1_000;
/** Shorter than what anybody has: the next frame comes when the recorded answer was over, to the microsecond. */
const TURNAROUND_MS = 0.5;
/** Times are told from the end of the first frame, which began before. */
const LEAD_MS = 2_000;

/** An answer that is not the recorded one, beside it. */
export interface Difference {
  /** Of the recording: that of the expected answer, or the last one before it. */
  readonly packet: number;
  readonly atMs: number;
  readonly line: string;
  readonly address: number;
  /** What was asked, in lines. */
  readonly asked: readonly string[];
  /** `undefined` for an answer where none was recorded. */
  readonly expected?: readonly string[];
  /** `undefined` for none where one was recorded. */
  readonly got?: readonly string[];
}

/** How a firmware answers a recorded gateway. */
export interface Judged {
  /** Answers as recorded, until the first that is not. */
  readonly same: number;
  /** What the gateway said that could not be said again. */
  readonly unsaid: number;
  readonly first?: Difference;
}

/**
 * Plays the gateway's side of a recording to emulated terminals, in virtual time: says what it said when it said it, and
 * lets people do there what they did. Requests and answers are lost, damaged and late as they were.
 * @param model whose firmware is judged
 */
export async function judge(recording: Recording, model: Model = MODELS['finger-10k']): Promise<Judged> {
  const clock = new VirtualClock(recording.began - LEAD_MS);
  const keys: LoggedKeys[] = [];
  const fates = new Fates(recording, { now: () => clock.now() - LEAD_MS }, keys);
  const terminals = new Map<string, Terminal>();
  const media = new Map<string, Medium>();
  const blocks: Uint8Array[] = [captureHead(recording.lines)];
  let unsaid = 0;
  const ends = recording.lines.map((line, index) => {
    const medium = new Medium({
      clock,
      random: seededRandom(SEED),
      baud: line.baud,
      turnaroundMs: TURNAROUND_MS,
    });
    media.set(line.name, medium);
    const seats = recording.seats.filter((seat) => seat.line === line.name);
    /** Frames that somebody did not hear: address and bytes. */
    const missed = new Set<string>();
    for (const seat of seats) {
      const { trouble, refuses } = fates.of(seat);
      // How long something took it is the recording's to say.
      const own = { ...model, storeMs: 0, computeMs: 0 };
      const terminal = terminalOf(seat, { clock, keys, refuses, model: own });
      medium.add(terminal);
      medium.troubleAt(terminal, trouble);
      medium.troubleAt(terminal, {
        hears: (stuffed) => (missed.has(missKey(seat.address, stuffed)) ? undefined : stuffed),
      });
      terminals.set(nameOf(seat), terminal);
    }
    const [near, far] = memoryPair();
    medium.connect(far);
    const voice = new Voice(near, seededRandom(SEED + index), seats);
    const say = (ask: Ask): void => {
      const wire = voice.say(ask);
      if (wire === undefined) unsaid += 1;
      else
        for (const { address } of seats) {
          const key = missKey(address, wire.subarray(0, -1));
          // What is said once more may be heard then.
          if (ask.missed?.includes(address) === true) missed.add(key);
          else missed.delete(key);
        }
    };
    for (const ask of recording.asks.filter((one) => one.line === line.name))
      clock.after(LEAD_MS + ask.atMs, () => {
        say(ask);
      });
    return tapped(line, index, media, { clock, blocks });
  });
  for (const deed of recording.deeds.filter(({ address }) => address !== BROADCAST))
    clock.after(LEAD_MS + deed.atMs, () => {
      doneThere(deed, { clock, terminals });
    });
  await clock.run({ forMs: LEAD_MS + recording.lastsMs + AFTER_MS });
  for (const end of ends) end();
  const played = answersIn(Buffer.concat(blocks), new KeyRing(keys));
  return { unsaid, ...firstDifference(recording, played) };
}

function missKey(address: number, stuffed: Uint8Array): string {
  return `${address} ${Buffer.from(stuffed).toString('hex')}`;
}

function answersIn(capture: Uint8Array, keys: KeyRing): Answer[] {
  return readPackets(readCapture(capture), keys).flatMap(({ number: packet, atMs, line, decoded }) => {
    if (decoded.kind === 'here') return [{ packet, atMs, line, address: decoded.address, lines: ['here'] }];
    if ((decoded.kind !== 'plain' && decoded.kind !== 'opened') || !decoded.header.fromTerminal) return [];
    const { address } = decoded.header;
    return [{ packet, atMs, line, address, lines: toldLines(decoded.message) }];
  });
}

function firstDifference(recording: Recording, played: readonly Answer[]): Pick<Judged, 'same' | 'first'> {
  const laneOf = ({ line, address }: Answer): string => `${line} ${address}`;
  const [expected, got] = [recording.answers, played].map((all) => Map.groupBy(all, laneOf));
  let same = 0;
  let first: Difference | undefined;
  for (const { line, address } of recording.seats) {
    const lane = `${line} ${address}`;
    const [wanted, came] = [once(expected?.get(lane) ?? []), once(got?.get(lane) ?? [])];
    const at = wanted.findIndex((one, i) => came[i]?.lines.join('\n') !== one.lines.join('\n'));
    same += at < 0 ? wanted.length : at;
    const found = at < 0 ? undefined : differenceOf(recording, wanted[at], came[at]);
    if (found !== undefined && (first === undefined || found.packet < first.packet)) first = found;
  }
  return { same, ...(first === undefined ? {} : { first }) };
}

/** An answer that was given again to the same question says nothing more. */
function once(answers: readonly Answer[]): Answer[] {
  return answers.filter((one, i) => answers[i - 1]?.lines.join('\n') !== one.lines.join('\n'));
}

function differenceOf(
  recording: Recording,
  expected: Answer | undefined,
  got: Answer | undefined,
): Difference | undefined {
  if (expected === undefined) return undefined;
  const { packet, atMs, line, address } = expected;
  const asked = recording.asks.findLast(
    (one) => one.line === line && [BROADCAST, address].includes(one.address) && one.packet < packet,
  );
  return {
    ...{ packet, atMs, line, address, expected: expected.lines },
    asked: asked === undefined ? [] : toldLines(decodeMessage(Buffer.from(asked.payload, 'hex'))),
    ...(got === undefined ? {} : { got: got.lines }),
  };
}
