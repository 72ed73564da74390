import { expect, test } from 'vitest';
import { Admission } from './admission.ts';

test('no more than so many are inside; who fails makes room as well, and all have their turn in order', async () => {
  const admission = new Admission(2);
  const inside = new Map<number, () => void>();
  const order: number[] = [];
  let most = 0;
  const done = Array.from({ length: 5 }, (_, index) =>
    admission.pass(async () => {
      order.push(index);
      await new Promise<void>((resolve) => inside.set(index, resolve));
      inside.delete(index);
      if (index % 2 === 1) throw new RangeError('not greeted');
    }),
  );
  const all = Promise.allSettled(done);
  while (order.length < 5 || inside.size > 0) {
    most = Math.max(most, inside.size);
    inside.values().next().value?.();
    await Promise.resolve();
  }
  expect((await all).map(({ status }) => status)).toEqual([
    ...['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
  ]);
  expect({ order, most }).toEqual({ order: [0, 1, 2, 3, 4], most: 2 });
});
