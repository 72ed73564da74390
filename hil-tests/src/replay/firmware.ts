import { Medium, memoryPair, MODELS } from '@whorl/device-emulator';
import type { Model, Terminal } from '@whorl/device-emulator';
import {
  BROADCAST,
  decodeMessage,
  decodeRun,
  FrameSplitter,
  KeyRing,
  seededRandom,
  VirtualClock,
} from '@whorl/protocol';
import type { LoggedKeys } from '@whorl/protocol';
import type { Answer, Ask, Recording } from './recording.ts';
import { SeatEnd } from './seat-end.ts';
import type { Heard } from './seat-end.ts';
import { doneThere, nameOf, terminalOf } from './stage.ts';
import { toldLines } from './told.ts';
import { Voice } from './voice.ts';

const SEED = 1;
const AFTER_MS = 1_000;
/** Shorter than what anybody has: the answer is there before the next question. */
const TURNAROUND_MS = 0.5;
/** Terminals start before anything is said. */
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
  const terminals = new Map<string, Terminal>();
  const heard: Heard[] = [];
  let unsaid = 0;
  for (const [index, line] of recording.lines.entries()) {
    // Bytes take no time, so that nobody is in another's way: what did not get through is the recording's to say.
    const medium = new Medium({ clock, random: seededRandom(SEED), turnaroundMs: TURNAROUND_MS });
    const seats = recording.seats.filter((seat) => seat.line === line.name);
    /** What was said last in the same bytes. */
    const under = new Map<string, Ask>();
    const asked = (stuffed: Uint8Array): Ask | undefined => under.get(keyOf(stuffed));
    for (const seat of seats) {
      const end = new SeatEnd(seat, { asked, now: () => clock.now() - LEAD_MS, heard });
      // How long something took it is the recording's to say.
      const own = { ...model, storeMs: 0, computeMs: 0 };
      const terminal = terminalOf(seat, { clock, keys, refuses: end.refuses, model: own });
      medium.add(terminal);
      medium.troubleAt(terminal, end.trouble);
      terminals.set(nameOf(seat), terminal);
    }
    const [near, far] = memoryPair();
    medium.connect(far);
    const voice = new Voice(near, seededRandom(SEED + index), seats);
    for (const ask of recording.asks.filter((one) => one.line === line.name))
      clock.after(LEAD_MS + ask.atMs, () => {
        const isSaid = voice.say(ask, (wire) => under.set(keyOf(wire.subarray(0, -1)), ask));
        if (!isSaid) unsaid += 1;
      });
  }
  for (const deed of recording.deeds.filter(({ address }) => address !== BROADCAST))
    clock.after(LEAD_MS + deed.atMs, () => {
      doneThere(deed, { clock, terminals });
    });
  await clock.run({ forMs: LEAD_MS + recording.lastsMs + AFTER_MS });
  return { unsaid, ...firstDifference(recording, answersIn(heard, new KeyRing(keys))) };
}

function keyOf(stuffed: Uint8Array): string {
  return Buffer.from(stuffed).toString('hex');
}

/** By packet of what was asked and address of who answered: the answers, in lines. */
type Answers = ReadonlyMap<string, readonly (readonly string[])[]>;

function placeOf(ask: number, address: number): string {
  return `${ask} ${address}`;
}

function answersIn(heard: readonly Heard[], keys: KeyRing): Answers {
  const answers = new Map<string, (readonly string[])[]>();
  for (const { ask, address, wire } of heard)
    new FrameSplitter().push(wire, (stuffed) => {
      const decoded = decodeRun(Uint8Array.of(...stuffed, 0), keys);
      const isMessage = decoded.kind === 'plain' || decoded.kind === 'opened';
      if (!isMessage && decoded.kind !== 'here') return;
      const place = placeOf(ask.packet, address);
      const lines = isMessage ? toldLines(decoded.message) : ['here'];
      answers.set(place, [...(answers.get(place) ?? []), lines]);
    });
  return answers;
}

/** Each answer is held against the one to the same question: what else was said to somebody tells nothing of it. */
function firstDifference(recording: Recording, came: Answers): Pick<Judged, 'same' | 'first'> {
  const asks = new Map(recording.asks.map((ask) => [ask.packet, ask]));
  const lanes = Map.groupBy(recording.answers, ({ line, address }) => `${line} ${address}`);
  let same = 0;
  let first: Difference | undefined;
  for (const { line, address } of recording.seats)
    for (const [to, wanted] of Map.groupBy(lanes.get(`${line} ${address}`) ?? [], (one) => one.to)) {
      const ask = to === undefined ? undefined : asks.get(to);
      if (ask === undefined) continue;
      const got = came.get(placeOf(ask.packet, address)) ?? [];
      const missing = firstMissing(wanted, got);
      same += missing?.at ?? wanted.length;
      if (missing === undefined) continue;
      const found = differenceOf(ask, missing.one, got[missing.at]);
      if (first === undefined || found.packet < first.packet) first = found;
      break;
    }
  return { same, ...(first === undefined ? {} : { first }) };
}

/** The first answer that did not come, after those before it; one that was given twice need come once. */
function firstMissing(
  wanted: readonly Answer[],
  got: readonly (readonly string[])[],
): { readonly at: number; readonly one: Answer } | undefined {
  let next = 0;
  for (const [at, one] of wanted.entries()) {
    const text = one.lines.join('\n');
    if (wanted[at - 1]?.lines.join('\n') === text) continue;
    const found = got.findIndex((lines, i) => i >= next && lines.join('\n') === text);
    if (found < 0) return { at, one };
    next = found + 1;
  }
  return undefined;
}

function differenceOf(
  ask: Ask,
  { packet, atMs, line, address, lines }: Answer,
  got: readonly string[] | undefined,
): Difference {
  return {
    ...{ packet, atMs, line, address, expected: lines },
    asked: toldLines(decodeMessage(Buffer.from(ask.payload, 'hex'))),
    ...(got === undefined ? {} : { got }),
  };
}
