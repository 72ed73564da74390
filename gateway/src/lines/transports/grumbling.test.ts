import { VirtualClock } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { Grumbling } from './grumbling.ts';

test('B8 what happens again and again is told once in an interval for each place, with how often it was passed over', async () => {
  const clock = new VirtualClock();
  const grumbling = new Grumbling(clock, 60_000);
  const burst = (place: string): (number | undefined)[] => [1, 2, 3].map(() => grumbling.next(place));
  expect(burst('10.0.0.1')).toEqual([0, undefined, undefined]);
  expect(burst('10.0.0.2')).toEqual([0, undefined, undefined]);
  await clock.run({ forMs: 60_000 });
  expect(burst('10.0.0.1')).toEqual([2, undefined, undefined]);
});

test('B8 whoever comes from ever new addresses fills neither log nor memory', () => {
  const grumbling = new Grumbling(new VirtualClock(), 60_000);
  const told = Array.from({ length: 100_000 }, (_, i) => grumbling.next(`fd00::${i}`)).filter(
    (untold) => untold !== undefined,
  );
  expect(told.length).toBeLessThan(110);
});
