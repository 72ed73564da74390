import { expect, test } from 'vitest';
import { systemClock } from './system.ts';

test('a timer of the system clock is never early, by the clock itself', async () => {
  const early = await Promise.all(
    Array.from(
      { length: 200 },
      (_, i) =>
        new Promise<boolean>((resolve) => {
          const due = systemClock.now() + i / 7;
          systemClock.after(due - systemClock.now(), () => {
            resolve(systemClock.now() < due);
          });
        }),
    ),
  );
  expect(early.filter(Boolean)).toEqual([]);
});
