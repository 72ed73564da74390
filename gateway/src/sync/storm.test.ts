import { VirtualClock } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { Storm } from './storm.ts';

test('B8 what people do is no storm; hundreds of changes at once are, until two seconds after the last', async () => {
  const clock = new VirtualClock();
  const storm = new Storm(clock);
  storm.add(30);
  expect(storm.calmInMs).toBe(0);
  storm.add(300);
  expect(storm.calmInMs).toBe(2_000);
  await clock.run({ forMs: 1_500 });
  expect(storm.calmInMs).toBe(500);
  storm.add(300);
  expect(storm.calmInMs).toBe(2_000);
  await clock.run({ forMs: 2_000 });
  expect(storm.calmInMs).toBe(0);
});

test('B8 a storm without end holds nothing up for ever: every ten minutes there is a way through', async () => {
  const clock = new VirtualClock();
  const storm = new Storm(clock);
  let ways = 0;
  for (let second = 0; second < 3_600; second += 1) {
    storm.add(40);
    if (storm.calmInMs === 0) ways += 1;
    await clock.run({ forMs: 1_000 });
  }
  expect(ways).toBeGreaterThanOrEqual(6);
  expect(ways).toBeLessThan(20);
});
