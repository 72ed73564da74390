import { seededRandom } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { fullUser } from '../bench/users.ts';
import { memoryRig } from '../rig/memory.ts';

/** From a card held to a terminal until its event is stored, during bulk work. */
const BOUND_MS = 180;

test.each([
  { line: 'the only terminal of a line', names: ['terminal-1'] },
  { line: 'one of two terminals of a line', names: ['terminal-1', 'terminal-2'] },
])('B15 a bulk push to $line holds no live event of it back [memory]', async ({ names }) => {
  const floor = names.map((name) => ({ name, model: 'face-100k' as const }));
  const rig = await memoryRig({ lines: { floor }, latencyMs: 0 });
  onTestFinished(() => rig.close());
  const { operations, store } = rig.gateway;
  await rig.until('all online', async () =>
    (await operations.status()).terminals.every(({ state }) => state === 'online'),
  );
  for (let id = 1; id <= 12; id += 1) {
    const { id: _, ...set } = fullUser(id);
    await operations.addUser(id, { set, clear: [] });
  }
  await rig.pass(3_000);
  const stored: number[] = [];
  rig.gateway.hub.subscribe(({ type }) => {
    if (type === 'access.denied') stored.push(rig.clock.now());
  });
  const random = seededRandom(5);
  const took: number[] = [];
  for (let tap = 0; tap < 20; tap += 1) {
    const began = rig.clock.now();
    rig.terminal('terminal-1').tap({ user: 1_000 });
    await rig.pass(600 + random.below(100) + random.below(1000) / 1000);
    took.push((stored[tap] ?? Number.POSITIVE_INFINITY) - began);
  }
  expect((await store.ledgerCounts()).get('terminal-1')?.verified ?? 0).toBeLessThan(12);
  expect(Math.max(...took)).toBeLessThanOrEqual(BOUND_MS);
});
