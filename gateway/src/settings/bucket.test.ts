import { VirtualClock } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { Bucket } from './bucket.ts';

const taken = (bucket: Bucket, tries: number): number =>
  Array.from({ length: tries }, () => bucket.take()).filter((one) => one).length;

test('so many at once, then so many a second', async () => {
  const clock = new VirtualClock();
  const bucket = new Bucket(clock, 10, 2);
  expect(taken(bucket, 20)).toBe(10);
  await clock.run({ forMs: 3000 });
  expect(taken(bucket, 20)).toBe(6);
  await clock.run({ forMs: 3_600_000 });
  expect(taken(bucket, 20)).toBe(10);
});
