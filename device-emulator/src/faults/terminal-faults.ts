import { MemoryFlash } from '../firmware/flash.ts';
import { Terminal } from '../firmware/terminal.ts';
import { duration, fraction, shift, whole } from '../values/numbers.ts';
import { happens, lasting, sudden } from './fault.ts';
import type { Fault, TerminalPlace } from './fault.ts';
import { readdressed, spoilt } from './wire.ts';

const chance = fraction('of each frame to be hit', 0, 1);
const LATE_MS = 300;
const LINGERS_MS = 10;
const DAY_MS = 86_400_000;

/** What goes wrong with a terminal’s end of the wire. */
const ON_THE_WIRE: Readonly<Record<string, Fault<TerminalPlace>>> = {
  deaf: lasting(
    {
      doc: 'hears nothing of some frames',
      field: 'A worn receiver, or firmware that is busy for seconds: it answers when it feels like it.',
      noticed: { as: 'the terminal is offline', withinMs: 10_000 },
      wellMs: 5_000,
    },
    { chance: chance.default(1) },
    ({ line, terminal, random }: TerminalPlace, given) =>
      line.medium.troubleAt(terminal, {
        hears: (frame) => (happens(random, given.chance) ? undefined : frame),
      }),
  ),
  mute: lasting(
    {
      doc: 'carries out what it hears, and some answers are never sent',
      field: 'A dead driver: its display shows the new user, and the gateway says that it is silent.',
      noticed: { as: 'the terminal is offline', withinMs: 10_000 },
      wellMs: 5_000,
    },
    { chance: chance.default(1) },
    ({ line, terminal, random }: TerminalPlace, given) =>
      line.medium.troubleAt(terminal, {
        says: (wire) => (happens(random, given.chance) ? [] : [{ wire, afterMs: 0 }]),
      }),
  ),
  late: lasting(
    {
      doc: 'some answers come late: into what others say',
      field: 'A terminal that matches a face while it is asked: its answers run into its neighbours’.',
      noticed: { as: 'stray frames and retries of the line rise', withinMs: 30_000 },
      wellMs: 10_000,
    },
    { by: duration('how late').default(LATE_MS), chance: chance.default(0.2) },
    ({ line, terminal, random }: TerminalPlace, given) =>
      line.medium.troubleAt(terminal, {
        says: (wire) => [{ wire, afterMs: happens(random, given.chance) ? given.by : 0 }],
      }),
  ),
  short: lasting(
    {
      doc: 'some answers break off',
      field: 'A driver that switches off before the last byte is out.',
      noticed: { as: 'retries and damaged frames of the line rise', withinMs: 30_000 },
      wellMs: 5_000,
    },
    { bytes: whole('so many are missing', 1, 1000).default(2), chance: chance.default(0.2) },
    ({ line, terminal, random }: TerminalPlace, given) =>
      line.medium.troubleAt(terminal, {
        says: (wire) => [
          {
            wire: happens(random, given.chance)
              ? wire.subarray(0, Math.max(0, wire.length - given.bytes))
              : wire,
            afterMs: 0,
          },
        ],
      }),
  ),
  twice: lasting(
    {
      doc: 'some answers are sent twice',
      field: 'A serial device server or a repeater that sends again what it takes for lost.',
      noticed: { as: 'stray frames of the line rise', withinMs: 15_000 },
      wellMs: 5_000,
    },
    { chance: chance.default(0.5) },
    ({ line, terminal, random }: TerminalPlace, given) =>
      line.medium.troubleAt(terminal, {
        says: (wire) => {
          const once = { wire, afterMs: 0 };
          return happens(random, given.chance) ? [once, once] : [once];
        },
      }),
  ),
  garbled: lasting(
    {
      doc: 'flips a bit in some of its answers',
      field: 'One long stub, or one terminal with a bad crimp: its frames are bad, its neighbours’ are good.',
      noticed: { as: 'damaged frames of the line rise', withinMs: 30_000 },
      wellMs: 5_000,
    },
    { chance: chance.default(0.2) },
    ({ line, terminal, random }: TerminalPlace, given) =>
      line.medium.troubleAt(terminal, {
        says: (wire) => [{ wire: happens(random, given.chance) ? spoilt(wire, random) : wire, afterMs: 0 }],
      }),
  ),
  lingers: lasting(
    {
      doc: 'its driver holds the line for a while after what it says',
      field: 'A terminal that lets go of the line too late: the one that is asked next seems to be deaf.',
      noticed: { as: 'retries of the line rise', withinMs: 5_000 },
      wellMs: 5_000,
      wire: true,
    },
    { by: duration('how long').default(LINGERS_MS) },
    ({ line, terminal }: TerminalPlace, { by }) => line.medium.troubleAt(terminal, { lingersMs: by }),
  ),
  'wrong-address': lasting(
    {
      doc: 'its answers carry another terminal’s address',
      field: 'A firmware with an address kept in two places: it listens at one, and signs with the other.',
      noticed: { as: 'the terminal is offline', withinMs: 10_000 },
      wellMs: 5_000,
    },
    { address: whole('that its answers carry', 1, 247) },
    ({ line, terminal }: TerminalPlace, { address }) =>
      line.medium.troubleAt(terminal, { says: (wire) => [{ wire: readdressed(wire, address), afterMs: 0 }] }),
  ),
  twin: lasting(
    {
      doc: 'another terminal, new from its box, sits at the same address',
      field: 'Two terminals were set to one address: both answer at once, and neither is understood.',
      noticed: { as: 'retries and damaged frames of the line rise', withinMs: 5_000 },
      wellMs: 20_000,
    },
    {},
    ({ line, terminal, clock, random }: TerminalPlace) => {
      const { address, model } = terminal;
      const serial = `${terminal.serial.slice(0, 27)}-TWIN`;
      const twin = new Terminal({ serial, address, model, clock, random, flash: new MemoryFlash() });
      line.medium.add(twin);
      return () => {
        line.medium.remove(twin);
        twin.powerOff();
      };
    },
  ),
  pulled: lasting(
    {
      doc: 'is taken off its line',
      field: 'The cable at the back of a terminal was pulled, or a door was taken out.',
      noticed: { as: 'the terminal is offline', withinMs: 10_000 },
      wellMs: 5_000,
    },
    {},
    ({ line, terminal }: TerminalPlace) => {
      line.medium.setPlugged(terminal, false);
      return () => {
        line.medium.setPlugged(terminal, true);
      };
    },
  ),
};

/** What goes wrong inside a terminal. */
const INSIDE: Readonly<Record<string, Fault<TerminalPlace>>> = {
  reboots: lasting(
    {
      doc: 'starts anew in the middle of what it does',
      field: 'A power supply at its limit: each time that the lock is driven, the terminal starts again.',
      noticed: { as: 'terminal.offline is told', withinMs: 15_000 },
      wellMs: 15_000,
    },
    { chance: fraction('of each frame for it to be the last', 0, 1).default(0.01) },
    ({ line, terminal, random }: TerminalPlace, given) =>
      line.medium.troubleAt(terminal, {
        hears(frame) {
          if (terminal.power !== 'on' || !happens(random, given.chance)) return frame;
          terminal.reboot();
          return undefined;
        },
      }),
  ),
  'power-cut': sudden(
    {
      doc: 'loses power after so many more bytes were written to its flash, and gets it again',
      field: 'Bad power: it goes off in the middle of storing somebody.',
      noticed: { as: 'terminal.offline is told', withinMs: 10_000 },
      wellMs: 15_000,
    },
    {
      bytes: whole('written before', 0, 1_000_000_000).default(100),
      off: duration('how long it stays off').default(1_000),
    },
    ({ terminal, clock }: TerminalPlace, { bytes, off }) => {
      terminal.flash.cutAfter(bytes, () => {
        clock.after(off, () => {
          terminal.powerOn();
        });
      });
    },
  ),
  'flash-fails': lasting(
    {
      doc: 'cannot write to its flash',
      field: 'Worn flash: it answers, knows whom it knew, and takes nobody new.',
      noticed: { as: 'who should be there is refused: refused', withinMs: 5_000 },
      wellMs: 5_000,
    },
    {},
    ({ terminal }: TerminalPlace) => {
      terminal.flash.fails = true;
      return () => {
        terminal.flash.fails = false;
      };
    },
  ),
  'memory-full': lasting(
    {
      doc: 'has no room for another user, whatever it says of itself',
      field: 'A terminal that counts deleted users as well: it says 10,000, and refuses the 6,000th.',
      noticed: { as: 'who should be there is refused: capacity-full', withinMs: 5_000 },
      wellMs: 5_000,
    },
    {},
    ({ terminal }: TerminalPlace) => terminal.lack({ users: 0 }),
  ),
  'slots-full': lasting(
    {
      doc: 'takes no fingers and faces, whatever it says of itself',
      field: 'Its matcher’s memory is full: cards go in, templates do not.',
      noticed: { as: 'who should be there is refused: format-mismatch', withinMs: 5_000 },
      wellMs: 5_000,
    },
    {},
    ({ terminal }: TerminalPlace) => terminal.lack({ fingers: 0, faces: 0 }),
  ),
  'wrong-format': lasting(
    {
      doc: 'takes no template format, whatever it says of itself',
      field: 'Its firmware was updated, and the new matcher reads only its own templates.',
      noticed: { as: 'who should be there is refused: format-mismatch', withinMs: 5_000 },
      wellMs: 5_000,
    },
    {},
    ({ terminal }: TerminalPlace) => terminal.lack({ fingerFormats: [], faceFormats: [] }),
  ),
  'log-wraps': sudden(
    {
      doc: 'so many strangers are refused that the oldest log records are overwritten',
      field: 'A terminal on a busy door was off the line for weeks.',
      noticed: { as: 'terminal.log.gap is told', withinMs: 5_000 },
      wellMs: 5_000,
    },
    { records: whole('so many; as many as its log holds unless given', 1, 1_000_000).optional() },
    ({ terminal }: TerminalPlace, { records }) => {
      terminal.turnAway(records ?? terminal.model.capabilities.logs);
    },
  ),
  'clock-jumps': sudden(
    {
      doc: 'its clock jumps, without a word in its log',
      field: 'Its clock’s battery is empty: it wakes up in another year.',
      noticed: { as: 'terminal.clock.wrong is told', withinMs: 5_000 },
      wellMs: 5_000,
    },
    { by: shift('how far, back when negative such as -90s', 1e12).default(-365 * DAY_MS) },
    ({ terminal }: TerminalPlace, { by }) => {
      terminal.slipClock(by);
    },
  ),
};

/** What goes wrong with one terminal. */
export const TERMINAL_FAULTS: Readonly<Record<string, Fault<TerminalPlace>>> = { ...ON_THE_WIRE, ...INSIDE };
