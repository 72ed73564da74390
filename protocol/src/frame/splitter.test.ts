import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../errors.ts';
import { arbitraryFramed } from './arbitrary.ts';
import { plainSession } from '../session/plain.ts';
import { joined, viewOf } from '../testing.ts';
import { MTU_MAX } from './frame.ts';
import { FrameSplitter, RunGuard } from './splitter.ts';
import { fromWire, toWire } from './wire.ts';

const HEADER = { address: 1, fromTerminal: false, attention: false };

/** Cuts `bytes` into pieces of these sizes, and what is left. */
function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    out.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...out, bytes.subarray(at)].filter((piece) => piece.length > 0);
}

function split(arriving: readonly Uint8Array[]): Uint8Array[] {
  const splitter = new FrameSplitter();
  const frames: Uint8Array[] = [];
  for (const piece of arriving) splitter.push(viewOf(piece), (stuffed) => frames.push(stuffed));
  return frames;
}

/** Sequence numbers of the frames in a stream that arrive undamaged. */
function undamaged(stream: Uint8Array): number[] {
  return split([stream]).flatMap((stuffed) => {
    try {
      return [fromWire(plainSession, stuffed).sequence];
    } catch (error) {
      expect(codeOf(error)).toMatch(/^FRAME_/);
      return [];
    }
  });
}

const messages = fc.array(arbitraryFramed(), { minLength: 1, maxLength: 6 });
const sizes = fc.array(fc.integer({ min: 1, max: 400 }));

describe('the splitter', () => {
  test('finds the same frames however the bytes come in', () => {
    fc.assert(
      fc.property(messages, sizes, (messages, sizes) => {
        const wires = messages.map((message, sequence) =>
          toWire(plainSession, { ...HEADER, sequence }, message.name, message.body),
        );
        const frames = split(pieces(joined(...wires), sizes));
        expect(frames).toEqual(wires.map((wire) => wire.subarray(0, -1)));
      }),
    );
  });

  test('hands over arrays that later bytes do not change', () => {
    const splitter = new FrameSplitter();
    const frames: Uint8Array[] = [];
    const bytes = Uint8Array.of(5, 6, 0);
    splitter.push(bytes, (stuffed) => frames.push(stuffed));
    bytes.fill(9);
    splitter.push(bytes, (stuffed) => frames.push(stuffed));
    expect(frames.map((frame) => [...frame])).toEqual([[5, 6]]);
  });

  test('G8 finds its feet at the next delimiter, whatever noise came before', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.nat(5000).map((length) => new Uint8Array(length).fill(0x55)),
    );
    fc.assert(
      fc.property(noise, sizes, (noise, sizes) => {
        const wire = toWire(plainSession, { ...HEADER, sequence: 9 }, 'poll', {});
        const frames = split(pieces(joined(noise, Uint8Array.of(0), wire), sizes));
        expect(frames.at(-1)).toEqual(wire.subarray(0, -1));
      }),
    );
  });
});

describe('G8 one corrupt byte costs at most the frames that it touched', () => {
  const lengths = [1, 40, 253, 254, 255, 3, 600, 1, 1000, 12];
  const wires = lengths.map((length, sequence) =>
    toWire(plainSession, { ...HEADER, sequence }, 'chunk', {
      transfer: 1,
      index: sequence,
      data: new Uint8Array(length).map((_, i) => (i * 7 + sequence) & 0xff),
    }),
  );
  const stream = joined(...wires);
  const ends = wires.map((_, i) => wires.slice(0, i + 1).reduce((sum, wire) => sum + wire.length, 0));

  /** Frames that a byte is part of; a delimiter parts two. */
  function touched(position: number): number[] {
    const frame = ends.findIndex((end) => position < end);
    return position + 1 === ends[frame] ? [frame, frame + 1] : [frame];
  }

  test.each([
    ['becomes zero', 0],
    ['has its lowest bit flipped', 0x01],
    ['has its highest bit flipped', 0x80],
    ['is turned over', 0xff],
  ])(
    'when any one byte %s',
    (_, mask) => {
      for (let position = 0; position < stream.length; position += 1) {
        const damaged = stream.slice();
        damaged[position] = mask === 0 ? 0 : (stream[position] ?? 0) ^ mask;
        const arrived = undamaged(damaged);
        const lost = lengths.map((_, i) => i).filter((i) => !arrived.includes(i));
        expect(touched(position)).toEqual(expect.arrayContaining(lost));
      }
    },
    30_000,
  );

  test('when any one byte is missing', () => {
    for (let position = 0; position < stream.length; position += 1) {
      const damaged = joined(stream.subarray(0, position), stream.subarray(position + 1));
      const arrived = undamaged(damaged);
      const lost = lengths.map((_, i) => i).filter((i) => !arrived.includes(i));
      expect(touched(position)).toEqual(expect.arrayContaining(lost));
    }
  });
});

describe('the guard', () => {
  test('lets everything through that is no longer than a frame, as the very same array', () => {
    const guard = new RunGuard(4);
    for (const bytes of [
      [1, 2, 3],
      [4, 0],
      [0, 0, 1],
      [2, 0],
    ].map((bytes) => Uint8Array.from(bytes)))
      expect(guard.filter(bytes)).toBe(bytes);
    expect(guard.dropped).toBe(0);
  });

  test('never lets more than a frame pass without a delimiter, and loses nothing else', () => {
    const runs = fc.array(fc.tuple(fc.nat(30), fc.boolean()), { maxLength: 30 });
    fc.assert(
      fc.property(runs, sizes, (runs, sizes) => {
        const max = 16;
        const stream = joined(
          ...runs.map(([length, ended]) =>
            Uint8Array.from([...new Array<number>(length).fill(1), ...(ended ? [0] : [])]),
          ),
        );
        const guard = new RunGuard(max);
        const passed = joined(...pieces(stream, sizes).map((piece) => guard.filter(viewOf(piece)).slice()));
        const expected = Buffer.from(stream)
          .toString('latin1')
          .split('\0')
          .map((run) => run.slice(0, max))
          .join('\0');
        expect(Buffer.from(passed).toString('latin1')).toBe(expected);
        expect(passed.length + guard.dropped).toBe(stream.length);
      }),
    );
  });

  test('G8 a line stuck at one level fills no memory', () => {
    const splitter = new FrameSplitter();
    const stuck = new Uint8Array(64 * 1024).fill(0xff);
    const frames: Uint8Array[] = [];
    for (let i = 0; i < 100; i += 1) splitter.push(stuck, (stuffed) => frames.push(stuffed));
    expect(frames).toEqual([]);
    expect(splitter.dropped).toBe(100 * stuck.length - MTU_MAX);
    splitter.push(Uint8Array.of(0, 2, 7, 0), (stuffed) => frames.push(stuffed));
    expect(frames.map(({ length }) => length)).toEqual([MTU_MAX, 2]);
  });
});
