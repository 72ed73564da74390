import { encodeUser, readRecord } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { fullUser } from '../bench/users.ts';
import { allOnline } from '../rig/behaviour.ts';
import { memoryRig } from '../rig/memory.ts';

/** What the figures allow on a shared line that bulk work keeps busy. */
const LIVE_MS = 180;
const PUSHED_TO = ['terminal-1', 'terminal-2', 'terminal-3'];
const PULLED_FROM = 'terminal-4';
const TAPPED = ['terminal-5', 'terminal-6', 'terminal-7', 'terminal-8'];
const USERS = 3;

const PLAN = {
  latencyMs: 0,
  lines: {
    floor: [...PUSHED_TO, PULLED_FROM, ...TAPPED].map((name, index) => ({
      name,
      groups: [index + 1],
      model: 'face-100k' as const,
    })),
  },
};

test('B15 P12 several transfers share a line, both ways, and every event between is stored within its bound', async () => {
  const rig = await memoryRig(PLAN);
  onTestFinished(() => rig.close());
  await allOnline(rig);
  const { operations, store, hub } = rig.gateway;
  await operations.changeSettings({ autoSync: 'access-groups' });
  await rig.pass(3_000);
  for (const [index] of PUSHED_TO.entries())
    for (let user = 1; user <= USERS; user += 1) {
      const { id, ...set } = fullUser(10 * (index + 1) + user);
      await operations.addUser(id, { set: { ...set, groups: [index + 1] }, clear: [] });
    }
  rig.terminal(PULLED_FROM).load([1, 2, 3].map((user) => readRecord(encodeUser(fullUser(user)))));
  for (const user of [1, 2, 3]) await operations.pull(user, PULLED_FROM);

  const across = async (): Promise<boolean> => {
    const counts = await store.ledgerCounts();
    const pushed = PUSHED_TO.every((name) => counts.get(name)?.verified === USERS);
    return pushed && (await operations.status()).openPulls === 0;
  };
  const took: number[] = [];
  let tapped = Number.NaN;
  hub.subscribe((event) => {
    if (event.type === 'access.denied') took.push(rig.clock.now() - tapped);
  });
  while (!(await across())) {
    await rig.pass(230 + ((37 * took.length) % 90));
    const count = took.length;
    tapped = rig.clock.now();
    rig.terminal(TAPPED[count % TAPPED.length] ?? '').tap({ user: 1 });
    await rig.until('its event', () => took.length > count);
  }
  expect(took.length).toBeGreaterThan(30);
  expect(Math.max(...took)).toBeLessThanOrEqual(LIVE_MS);
});
