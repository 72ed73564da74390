import { expect, test } from 'vitest';
import { LineTraffic, Playback, SLOT_MS } from './traffic.ts';
import type { FrameEvent } from './traffic.ts';

const frame = (time: number, given: Partial<FrameEvent> = {}): FrameEvent => ({
  kind: 'frame',
  id: time,
  time,
  line: 'floor',
  direction: 'to-terminal',
  address: 1,
  message: null,
  form: 'sealed',
  bytes: 30,
  ...given,
});

test('rates are those of the last two seconds', () => {
  const traffic = new LineTraffic();
  for (let time = 10_000; time < 14_000; time += 100) traffic.push(frame(time));
  traffic.push(frame(13_000, { form: 'damaged' }));
  expect(traffic.rates(14_000)).toEqual({ frames: 10.5, bytes: 315, damaged: 0.5 });
  expect(traffic.rates(15_000).frames).toBe(5.5);
  expect(traffic.rates(60_000)).toEqual({ frames: 0, bytes: 0, damaged: 0 });
});

test('bars are the newest twelve seconds, and remember nothing older', () => {
  const traffic = new LineTraffic();
  traffic.push(frame(20_000, { bytes: 5 }));
  traffic.push(frame(20_000 + SLOT_MS, { bytes: 7, form: 'damaged' }));
  expect(traffic.bars(20_000 + SLOT_MS).slice(-2)).toEqual([
    { bytes: 5, damaged: false },
    { bytes: 7, damaged: true },
  ]);
  expect(traffic.bars(50_000).every(({ bytes }) => bytes === 0)).toBe(true);
});

test('the newest frames come first, and memory is bounded', () => {
  const traffic = new LineTraffic();
  for (let time = 1; time <= 10_000; time += 1) traffic.push(frame(time));
  expect(traffic.newest(2).map(({ time }) => time)).toEqual([10_000, 9_999]);
  expect(traffic.newest(100_000).length).toBeLessThan(1_000);
});

test('what comes in heaps is shown as evenly as it happened', () => {
  const playback = new Playback(100);
  expect(playback.emulatorTime(5)).toBeUndefined();
  expect(playback.at(1_000, 50)).toBe(150);
  expect(playback.at(1_010, 90)).toBe(160);
  expect(playback.at(1_020, 90)).toBe(170);
  expect(playback.emulatorTime(90)).toBe(1_040);
  // The emulator's clock was set back by an hour.
  expect(playback.at(1_000 - 3_600_000, 200)).toBe(300);
});

test('what a line says while nothing happens takes nothing else away', () => {
  const traffic = new LineTraffic();
  traffic.push(frame(1, { message: 'here', form: 'short', bytes: 12 }));
  traffic.push(frame(2, { form: 'short', bytes: 1 }));
  for (let time = 3; time < 5000; time += 1)
    traffic.push(frame(time, { message: 'invitation', form: 'short', bytes: 6 }));
  expect(traffic.newest(60, false).map(({ time }) => time)).toEqual([1]);
  expect(traffic.newest(60)).toHaveLength(60);
});
