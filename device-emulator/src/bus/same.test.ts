import { rollCall, seededRandom, sleep, systemClock, VirtualClock } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { SerialPort } from 'serialport';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Call } from '../firmware/call.ts';
import { MemoryFlash } from '../firmware/flash.ts';
import { Terminal } from '../firmware/terminal.ts';
import { MODELS } from '../models/built-in.ts';
import { bench, PAIRING_KEY } from '../testing/bench.ts';
import type { Asker } from '../testing/bench.ts';
import { Medium } from './medium.ts';
import { memoryPair } from './memory.ts';
import { hasPty, openPty } from './pty.ts';

const BAUD = 19_200;
/** By the line's own reckoning virtual and real time differ by rounding only. */
const TOLERANCE_MS = 0.001;
/** From the line to whoever reads the serial port, at best. */
const QUICKEST_MS = 20;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const MODEL = { ...MODELS['finger-10k'], storeMs: 0, computeMs: 0 };
const TIMING = { baud: BAUD, turnaroundMs: 1, latencyMs: 0 };

/** What is asked, and what people do meanwhile. */
const SCRIPT: readonly (
  { ask: (asker: Asker, terminal: Terminal) => unknown } | { act: (terminal: Terminal) => unknown }
)[] = [
  { ask: (asker) => asker.hello() },
  { ask: (asker) => asker.ask('poll', {}) },
  { act: (terminal) => terminal.enrol({ user: 1042, name: 'Ada', fingers: 2 }) },
  {
    ask: (asker, terminal) =>
      terminal.hearCall(new Call(asker.frame('roll.call', rollCall(1, [3, 7], TIMING), 0))),
  },
  { ask: (asker) => asker.ask('logs.read', { after: 0 }) },
  { ask: (asker) => asker.ask('users.digests', { after: 0 }) },
  { act: (terminal) => terminal.remove(1042) },
  { ask: (asker) => asker.ask('users.digests', { after: 0 }) },
];

type Step = { readonly frame: Uint8Array } | { readonly act: (terminal: Terminal) => unknown };

/** The script as frames: what is said to a terminal that is made like the one on the line. */
function steps(): Step[] {
  const { terminal, asker } = bench({ model: MODEL });
  const made: Step[] = [];
  const note = (stuffed: Uint8Array): void => void made.push({ frame: Uint8Array.of(...stuffed, 0) });
  const [hear, hearCall] = [terminal.hear.bind(terminal), terminal.hearCall.bind(terminal)];
  vi.spyOn(terminal, 'hear').mockImplementation((stuffed) => {
    note(stuffed);
    return hear(stuffed);
  });
  vi.spyOn(terminal, 'hearCall').mockImplementation((call) => {
    note(call.stuffed);
    return hearCall(call);
  });
  for (const step of SCRIPT)
    if ('ask' in step) step.ask(asker, terminal);
    else {
      step.act(terminal);
      made.push(step);
    }
  // Two terminals have the address by then: both answer at once.
  note(asker.plain('discover', {}));
  return made;
}

/** A line with what is said on it, and what has come out of it. */
interface Stand {
  readonly clock: Clock;
  readonly medium: Medium;
  readonly write: (bytes: Uint8Array) => void;
  /** Lets time pass until so many transmissions have ended and so many bytes have come out. */
  until(done: () => boolean): Promise<void>;
}

interface Crossed {
  readonly bytes: string;
  readonly fromGateway: boolean;
  /** From the end of the request to the end of this, milliseconds, as the line reckons. */
  readonly after: number;
  /** What the terminal holds by then. */
  readonly state: unknown;
}

interface Played {
  readonly crossed: readonly Crossed[];
  /** All that came out at the gateway's end. */
  readonly heard: string;
  /** From a transmission's end on the line until whoever reads the port has it, milliseconds. */
  readonly late: readonly number[];
}

/** @param like what it must become, to know how long to wait; everything ends by itself in virtual time */
async function play(stand: Stand, heard: () => Uint8Array, like?: Played): Promise<Played> {
  const { clock, medium } = stand;
  // The terminals' own clocks stand still, so that what they tell of the time is the same.
  const still: Clock = {
    now: () => clock.now(),
    after: (ms, fire) => clock.after(ms, fire),
    wallTime: () => EPOCH,
  };
  const make = (serial: string): Terminal => {
    const parts = { serial, address: 7, model: MODEL, clock: still, random: seededRandom(1) };
    const terminal = new Terminal({ ...parts, flash: new MemoryFlash() });
    terminal.setKey(PAIRING_KEY);
    medium.add(terminal);
    return terminal;
  };
  const terminal = make('WX-000007');
  const crossed: Crossed[] = [];
  const late: number[] = [];
  let asked = 0;
  medium.tap((bytes, fromGateway, { endMs }) => {
    if (fromGateway) asked = endMs;
    const { power, counters } = terminal;
    const state = { power, ...counters, users: terminal.users().size, logs: terminal.logs().length };
    crossed.push({ bytes: Buffer.from(bytes).toString('hex'), fromGateway, after: endMs - asked, state });
    late.push(clock.now() - endMs);
  });
  const script = steps();
  for (const [at, step] of script.entries()) {
    if (at === script.length - 1) make('WX-TWIN');
    if ('act' in step) step.act(terminal);
    else {
      const before = crossed.length;
      stand.write(step.frame);
      const more = like?.crossed.slice(before).findIndex(({ fromGateway }, i) => i > 0 && fromGateway) ?? 0;
      const wanted = more < 0 ? like?.crossed.length : before + more;
      await stand.until(() => like !== undefined && crossed.length >= (wanted ?? 0));
    }
  }
  await stand.until(() => like !== undefined && heard().length >= like.heard.length / 2);
  return { crossed, heard: Buffer.from(heard()).toString('hex'), late };
}

const EPOCH = Date.UTC(2026, 0, 1);

function collected(): { readonly put: (bytes: Uint8Array) => void; readonly all: () => Uint8Array } {
  const pieces: Uint8Array[] = [];
  return { put: (bytes) => void pieces.push(bytes.slice()), all: () => Buffer.concat(pieces) };
}

function mediumOn(clock: Clock): Medium {
  return new Medium({ clock, random: seededRandom(1), baud: BAUD, turnaroundMs: 1, echo: true });
}

async function virtually(): Promise<Played> {
  const clock = new VirtualClock();
  const medium = mediumOn(clock);
  const [gateway, far] = memoryPair();
  medium.connect(far);
  const heard = collected();
  gateway.onBytes(heard.put);
  const until = async (): Promise<void> => {
    await clock.run({ forMs: 1_000 });
  };
  return play({ clock, medium, write: (bytes) => gateway.write(bytes), until }, heard.all);
}

async function inRealTime(like: Played): Promise<Played> {
  const pty = await openPty();
  cleanups.push(() => pty.close());
  const medium = mediumOn(systemClock);
  medium.connect(pty);
  const port = new SerialPort({ path: pty.path, baudRate: BAUD });
  cleanups.push(
    () =>
      new Promise<void>((resolve) =>
        port.close(() => {
          resolve();
        }),
      ),
  );
  const heard = collected();
  port.on('data', heard.put);
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await sleep(systemClock, 1);
  };
  return play(
    { clock: systemClock, medium, write: (bytes) => port.write(Buffer.from(bytes)), until },
    heard.all,
    like,
  );
}

describe.skipIf(!hasPty())('a line in virtual time and the same one on a pseudo-terminal', () => {
  test('E1 E2 give the same frames, collisions among them, the same states and, by the line’s reckoning, the same times', async () => {
    const virtual = await virtually();
    expect(virtual.crossed.length).toBeGreaterThan(2 * 9);
    const real = await inRealTime(virtual);
    expect(real.crossed.map(({ after: _, ...one }) => one)).toEqual(
      virtual.crossed.map(({ after: _, ...one }) => one),
    );
    expect(real.heard).toBe(virtual.heard);
    for (const [at, { after }] of real.crossed.entries())
      expect(Math.abs(after - (virtual.crossed[at]?.after ?? Number.NaN))).toBeLessThan(TOLERANCE_MS);
    expect(Math.min(...real.late)).toBeGreaterThanOrEqual(-TOLERANCE_MS);
    expect(Math.min(...real.late)).toBeLessThan(QUICKEST_MS);
  });
});
