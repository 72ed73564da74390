import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { MIGRATIONS as SQLITE } from './migrations.ts';
import { MIGRATIONS as POSTGRES } from './postgres/schema.ts';

/** What each version's text comes to, in its order. A new version adds a line; one that is there never changes. */
const RELEASED = {
  sqlite: [
    ...['e95215d8d02a', 'ed1c6cce6d36', 'c98c2aa0a011', '29aea387ba79', 'a4287bfababa', 'c746028f1b51'],
    ...['1e207334d475', '34d3aab5398a', '24c5b164d51c', '4d46043f39c6', '7fa3869bd277', '30498a969aad'],
    ...['f66a3b172f3c', 'c5d9d5f3e410', 'cf2e3d88af8e', '6d4b8352d6e2', '5a1b5edc492f', '8a4ecf6f07fd'],
    ...['ad223e126abb', 'cce6465102a2', 'fb0b14bb6b36', 'cb8e6d881f68'],
  ],
  postgres: [
    ...['737f285738f1', '0a952deb30cf', 'f4edcf0cab45', 'cb8dc6bbe323', '8a3a3fc69c4a', '61af5239d569'],
    ...['80fb5b32da49', 'c08586a7a35a'],
  ],
};

test('a version of the schema that is released is never edited: databases out there have gone through it', () => {
  const digests = (steps: readonly string[]): string[] =>
    steps.map((step) => createHash('sha256').update(step).digest('hex').slice(0, 12));
  expect({ sqlite: digests(SQLITE), postgres: digests(POSTGRES) }).toEqual(RELEASED);
});
