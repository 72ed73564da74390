import { expect, test } from 'vitest';
import { placeOf, Pulses } from './pulses.ts';
import type { FrameEvent } from './traffic.ts';

const FRAME: FrameEvent = {
  ...{ kind: 'frame', id: 1, time: 1, line: 'floor', address: 1, message: null, form: 'sealed', bytes: 30 },
  direction: 'to-terminal',
};

test('terminals have places of their own between the gateway and the far end', () => {
  const places = Array.from({ length: 32 }, (_, index) => placeOf(index, 32));
  expect(new Set(places).size).toBe(32);
  expect([0, 1, 2].map((index) => placeOf(index, 3) * 3)).toEqual([1, 2, 3]);
  expect([Math.min(...places) > 0, Math.max(...places), placeOf(0, 1)]).toEqual([true, 1, 1]);
});

test('a frame moves from who says it to who is told it, and is gone', () => {
  const pulses = new Pulses();
  pulses.add(FRAME, 0.5, 1_000);
  pulses.add({ ...FRAME, direction: 'to-gateway' }, 0.5, 1_000);
  expect(pulses.at(999)).toEqual([]);
  expect(pulses.at(1_000).map(({ place }) => place)).toEqual([0, 0.5]);
  const [there, back] = pulses.at(1_200).map(({ place }) => place);
  expect((there ?? 0) + (back ?? 0)).toBeCloseTo(0.5);
  expect(pulses.at(2_000)).toEqual([]);
});

test('no more move than can be told apart', () => {
  const pulses = new Pulses();
  for (let count = 0; count < 10_000; count += 1) pulses.add(FRAME, 1, 0);
  expect(pulses.at(1).length).toBeLessThan(200);
});
