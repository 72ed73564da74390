import type { Random } from '@whorl/protocol';

/** One of some. @throws Error when there is none */
export function pick<T>(random: Random, some: readonly T[]): T {
  const one = some[random.below(some.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}
