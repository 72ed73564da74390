import { expect, test } from 'vitest';
import { pooledRandom } from './random.ts';

test('no byte of the pool is handed out twice, and every length is served', () => {
  const random = pooledRandom();
  const seen = new Set<string>();
  for (let i = 0; i < 2000; i += 1) seen.add(Buffer.from(random(16)).toString('hex'));
  expect(seen.size).toBe(2000);
  expect([0, 1, 4095, 4096, 4097].map((length) => random(length).length)).toEqual([0, 1, 4095, 4096, 4097]);
  expect(new Set(random(4096)).size).toBeGreaterThan(200);
});
