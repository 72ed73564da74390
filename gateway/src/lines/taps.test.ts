import { expect, test } from 'vitest';
import { Taps } from './taps.ts';
import type { TransportEvents } from './transport.ts';

test('who listens in hears both directions as on the wire, until they stop; the line goes on as before', async () => {
  const taps = new Taps();
  const [written, frames]: [Uint8Array[], Uint8Array[]] = [[], []];
  let told: TransportEvents | undefined;
  const open = taps.around(async (events) => {
    told = events;
    return {
      write: (bytes) => void written.push(bytes),
      cut: () => true,
      lend: () => () => undefined,
      close: () => undefined,
    };
  });
  const events = { received: () => {}, discarded: () => {}, closed: () => {} };
  const frame = (stuffed: Uint8Array): void => void frames.push(stuffed);
  const transport = await open({ ...events, frame }, new AbortController().signal);

  const heard: [string, ...number[]][] = [];
  const listen = (): (() => void) => taps.add((bytes, direction) => void heard.push([direction, ...bytes]));
  const stops = [listen(), listen()];
  transport.write(Uint8Array.of(0, 2, 5, 0), () => undefined);
  stops[0]?.();
  told?.frame(Uint8Array.of(2, 7));
  stops[1]?.();
  told?.frame(Uint8Array.of(2, 8));
  transport.write(Uint8Array.of(2, 9, 0), () => undefined);

  expect(heard).toEqual([
    ['to-terminal', 0, 2, 5, 0],
    ['to-terminal', 0, 2, 5, 0],
    ['to-gateway', 2, 7, 0],
  ]);
  expect(written).toEqual([Uint8Array.of(0, 2, 5, 0), Uint8Array.of(2, 9, 0)]);
  expect(frames).toEqual([Uint8Array.of(2, 7), Uint8Array.of(2, 8)]);
  expect(transport.cut()).toBe(true);
});
