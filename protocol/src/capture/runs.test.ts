import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined } from '../testing.ts';
import { MTU_MAX } from '../frame/frame.ts';
import type { Crossed, Direction } from './packet.ts';
import { Runs } from './runs.ts';

const WAYS: readonly (Direction | undefined)[] = ['to-terminal', 'to-gateway', undefined];

const pieces = fc.array(
  fc.tuple(
    fc.constantFrom(...WAYS),
    fc.oneof(
      { weight: 4, arbitrary: fc.uint8Array({ maxLength: 12, max: 3 }) },
      fc.nat(2500).map((length) => new Uint8Array(length).fill(7)),
    ),
  ),
  { maxLength: 12 },
);

function runsOf(list: readonly (readonly [Direction | undefined, Uint8Array])[], byteUs = 0): Crossed[] {
  const found: Crossed[] = [];
  const runs = new Runs(byteUs, (run) => found.push(run));
  for (const [i, [direction, bytes]] of list.entries()) runs.push(bytes, 1000 * (i + 1), direction);
  runs.end();
  return found;
}

describe('what crosses a line is cut behind each delimiter', () => {
  test('nothing is lost or put in, each direction for itself', () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const runs = runsOf(list);
        for (const way of WAYS) {
          const said = list.filter(([direction]) => direction === way).map(([, bytes]) => bytes);
          const heard = runs.filter(({ direction }) => direction === way).map(({ bytes }) => bytes);
          expect(joined(...heard)).toEqual(joined(...said));
          for (const run of heard.slice(0, -1))
            expect(run.indexOf(0) === run.length - 1 || run.length === MTU_MAX).toBe(true);
          for (const run of heard) expect(run.length).toBeGreaterThan(0);
        }
      }),
    );
  });

  test('G8 an answer that lost its delimiter ends as the gateway speaks, where bytes take time', () => {
    const list = [
      ['to-gateway', Uint8Array.of(5, 5, 7)],
      ['to-terminal', Uint8Array.of(4, 0)],
      ['to-gateway', Uint8Array.of(6, 6, 0)],
    ] as const;
    const said = (byteUs: number): unknown[] =>
      runsOf(list, byteUs).map(({ direction, bytes }) => [direction, ...bytes]);
    expect(said(10)).toEqual([
      ['to-gateway', 5, 5, 7],
      ['to-terminal', 4, 0],
      ['to-gateway', 6, 6, 0],
    ]);
    expect(said(0)).toEqual([
      ['to-terminal', 4, 0],
      ['to-gateway', 5, 5, 7, 6, 6, 0],
    ]);
  });

  test('a run has the time of its last byte', () => {
    const one = Uint8Array.of(5, 5, 0, 6, 6, 6, 0, 7);
    expect(runsOf([['to-gateway', one]], 10).map(({ timeUs, bytes }) => [timeUs, bytes.length])).toEqual([
      [950, 3],
      [990, 4],
      [1000, 1],
    ]);
  });
});
