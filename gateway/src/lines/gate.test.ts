import { expect, test } from 'vitest';
import { Gate } from './gate.ts';

test('B8 so many at a time, the others in their order; one that fails makes room all the same', async () => {
  const gate = new Gate(2);
  const inside = new Set<number>();
  const began: number[] = [];
  let most = 0;
  const work = (i: number): Promise<number> =>
    gate.through(async () => {
      inside.add(i);
      began.push(i);
      most = Math.max(most, inside.size);
      await Promise.resolve();
      inside.delete(i);
      if (i === 3) throw new Error('refused');
      return i;
    });
  const ends = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => work(i)));
  expect(most).toBe(2);
  expect(began).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(1);
});
