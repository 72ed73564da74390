import type { Random } from '@whorl/protocol';

/** One of some. @throws Error when there is none */
export function pick<T>(random: Random, some: readonly T[]): T {
  const one = some[random.below(some.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}

/** Of nobody else, so that it can be looked for. */
export function newName(random: Random): string {
  return `Here ${random.below(1_000_000_000)}`;
}
