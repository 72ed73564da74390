import { LONGEST_WIRE_M, MOST_RETURNED, reflecting } from '../bus/reflections.ts';
import { duration, fraction, whole } from '../values/numbers.ts';
import { happens, lasting } from './fault.ts';
import type { Fault, LinePlace } from './fault.ts';
import { resampled } from './resampled.ts';

const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;
const ADAPTER_HOLDS_MS = 16;
const LINGERS_MS = 3;

/** What goes wrong with a line as a whole. */
export const LINE_FAULTS: Readonly<Record<string, Fault<LinePlace>>> = {
  noise: lasting(
    {
      doc: 'fills the line with random bytes, without a pause',
      field: 'A motor or a frequency converter runs beside the cable: while it does, nobody is understood.',
      noticed: { as: 'all terminals of the line are offline', withinMs: 3_000 },
      wellMs: 5_000,
      wire: true,
    },
    {},
    ({ line }: LinePlace) => line.medium.noise(FOR_EVER_MS),
  ),
  stuck: lasting(
    {
      doc: 'holds the line low: a driver that does not let go',
      field: 'A terminal’s line driver has died and pulls the line down; all others fall silent with it.',
      noticed: { as: 'all terminals of the line are offline', withinMs: 3_000 },
      wellMs: 5_000,
      wire: true,
    },
    {},
    ({ line }: LinePlace) => line.medium.noise(FOR_EVER_MS, (bytes) => new Uint8Array(bytes)),
  ),
  corrupt: lasting(
    {
      doc: 'flips single bits on the line',
      field: 'A missing terminator, a stub too long, a bad crimp: retries rise, most of all for long frames.',
      noticed: { as: 'retries and damaged frames of the line rise', withinMs: 30_000 },
      wellMs: 5_000,
    },
    { rate: fraction('chance of each bit to be flipped, such as 1e-4', 0, 1).default(1e-4) },
    ({ line }: LinePlace, { rate }) => {
      line.medium.setBitErrors(rate);
      return () => {
        line.medium.setBitErrors(0);
      };
    },
  ),
  reflections: lasting(
    {
      doc: 'levels come back from the ends of the wire and spoil the bits behind them, some patterns always',
      field:
        'No terminating resistors on a long line: all is well at 9,600 baud, and at 115,200 some users never get through at once.',
      noticed: { as: 'retries and damaged frames of the line rise', withinMs: 15_000 },
      wellMs: 5_000,
      wire: true,
    },
    {
      length: fraction('of the wire, metres', 1, LONGEST_WIRE_M).default(900),
      returned: fraction(
        'what is left of a level when it is back, 0 with resistors',
        0,
        MOST_RETURNED,
      ).default(0.47),
    },
    ({ line, random }: LinePlace, { length, returned }) =>
      line.medium.trouble(reflecting({ lengthM: length, returned }, line.medium.baud ?? 0, random)),
  ),
  loose: lasting(
    {
      doc: 'takes the wire off the adapter: the port stays open, nothing crosses',
      field: 'A screw terminal has come loose at the adapter: the port is there, and everyone is silent.',
      noticed: { as: 'all terminals of the line are offline', withinMs: 15_000 },
      wellMs: 5_000,
    },
    {},
    ({ line }: LinePlace) => {
      line.medium.setWired(false);
      return () => {
        line.medium.setWired(true);
      };
    },
  ),
  pulled: lasting(
    {
      doc: 'pulls the adapter, or cuts the connection: the port goes away',
      field: 'Somebody pulled the USB adapter, or a switch lost power.',
      noticed: { as: 'the line is closed', withinMs: 1_000 },
      wellMs: 5_000,
    },
    {},
    async ({ line }: LinePlace) => {
      await line.cable.unplug();
      return () => line.cable.plug();
    },
  ),
  echo: lasting(
    {
      doc: 'the gateway’s adapter hears what it sends itself',
      field: 'A two-wire adapter whose receiver stays on while it sends.',
      noticed: { as: 'stray frames of the line rise', withinMs: 1_000 },
      wellMs: 5_000,
      wire: true,
    },
    {},
    ({ line }: LinePlace) => line.medium.trouble({ echo: true }),
  ),
  'wrong-baud': lasting(
    {
      doc: 'the terminals run at another speed than the adapter',
      field: 'Somebody set the speed on one side only: the line is alive, and nothing makes sense.',
      noticed: { as: 'all terminals of the line are offline', withinMs: 15_000 },
      wellMs: 5_000,
      wire: true,
    },
    { ratio: fraction('the terminals’ speed ÷ the adapter’s', 0.1, 10).default(0.5) },
    ({ line }: LinePlace, { ratio }) =>
      line.medium.trouble({
        toTerminals: (bytes) => resampled(bytes, ratio),
        toGateway: (bytes) => resampled(bytes, 1 / ratio),
      }),
  ),
  held: lasting(
    {
      doc: 'the adapter keeps bytes back and hands them over at its own beat',
      field: 'A USB adapter with its usual 16 ms latency timer: all works, at a fraction of the speed.',
      noticed: { as: 'the round trip time of the line rises', withinMs: 1_000 },
      wellMs: 5_000,
    },
    { beat: duration('between two times that it hands bytes over').default(ADAPTER_HOLDS_MS) },
    ({ line }: LinePlace, { beat }) =>
      line.medium.trouble({ holdsMs: (now) => (beat > 0 ? beat - (now % beat) : 0) }),
  ),
  lingers: lasting(
    {
      doc: 'the adapter holds the line for a while after what it sends: the first bytes of answers are lost',
      field:
        'An adapter that switches its driver off by a timer, or by a busy machine: quick terminals are never understood, slow ones are.',
      noticed: { as: 'all terminals of the line are offline', withinMs: 10_000 },
      wellMs: 5_000,
      wire: true,
    },
    { by: duration('how long').default(LINGERS_MS) },
    ({ line }: LinePlace, { by }) => line.medium.trouble({ lingersMs: by }),
  ),
  clipped: lasting(
    {
      doc: 'the first bytes of what the gateway sends are lost',
      field:
        'An adapter switches its driver on too late, or the line is biased so badly that the start is missed.',
      noticed: { as: 'retries of the line rise', withinMs: 30_000 },
      wellMs: 5_000,
    },
    {
      bytes: whole('so many', 1, 64).default(1),
      chance: fraction('of each frame to be hit', 0, 1).default(0.2),
    },
    ({ line, random }: LinePlace, { bytes, chance }) =>
      line.medium.trouble({
        toTerminals: (sent) => (happens(random, chance) ? sent.subarray(bytes) : sent),
      }),
  ),
};
