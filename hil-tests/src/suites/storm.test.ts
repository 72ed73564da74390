import { Storm } from '@whorl/gateway/sync/storm';
import { encodeUser, readRecord, recordDigest } from '@whorl/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { allOnline } from '../rig/behaviour.ts';
import { memoryRig } from '../rig/memory.ts';
import { realRig } from '../rig/real.ts';
import type { Rig, RigPlan } from '../rig/rig.ts';

const USERS_EACH = 60;
/** Edits at each terminal between two looks at the clock. */
const SLICE = 60;

const planOf = (terminals: number): RigPlan => ({
  lines: Object.fromEntries(
    Array.from({ length: terminals }, (_, i) => [
      `line-${i + 1}`,
      [{ name: `terminal-${i + 1}`, groups: [i + 1] }],
    ]),
  ),
});

interface Stormy {
  readonly users: number;
  readonly edits: number;
  /** Merges of what was fetched. */
  readonly merges: number;
  /** Records of those edits that were stored. */
  readonly stored: number;
  /** Users who are not at the gateway as their last edit has left them. */
  readonly wrong: number;
}

/** People at all terminals edit their users again and again, faster than anybody could fetch them each time. */
async function storm(rig: Rig, plan: { editsOfEach: number; sliceMs: number }): Promise<Stormy> {
  await allOnline(rig);
  const { operations, store, hub } = rig.gateway;
  await operations.changeSettings({ autoSync: 'access-groups', merge: { name: 'terminal-wins' } });
  let merges = 0;
  let stored = 0;
  hub.subscribe(({ type }) => {
    if (type === 'user.merged') merges += 1;
    if (type === 'user.update.succeeded') stored += 1;
  });
  const terminals = [...rig.terminals.values()];
  const idOf = (terminal: number, user: number): number => terminal * USERS_EACH + user + 1;
  for (const [index, terminal] of terminals.entries())
    terminal.load(
      Array.from({ length: USERS_EACH }, (_, user) =>
        readRecord(encodeUser({ id: idOf(index, user), name: 'before', groups: [index + 1] })),
      ),
    );
  for (let edit = 0; edit < USERS_EACH * plan.editsOfEach; edit += SLICE) {
    for (const [index, terminal] of terminals.entries())
      for (let i = edit; i < edit + SLICE; i += 1)
        terminal.edit({ user: idOf(index, i % USERS_EACH), set: { name: `edit ${i}` } });
    await rig.pass(plan.sliceMs);
  }
  const users = terminals.length * USERS_EACH;
  const edits = users * plan.editsOfEach;
  await rig.until('all edits stored', () => stored === edits, { withinMs: 600_000 });
  await rig.until(
    'all users merged',
    async () => (await store.countUsers()) === users && (await operations.status()).openPulls === 0,
    { withinMs: 600_000 },
  );
  let wrong = 0;
  for (const terminal of terminals)
    for (const [id, digest] of terminal.users()) {
      const held = await store.user(id);
      if (held === undefined || Buffer.from(recordDigest(held.record)).toString('hex') !== digest) wrong += 1;
    }
  return { users, edits, merges, stored, wrong };
}

test('B8 24,000 edits of 480 users at eight terminals: each is fetched about once, every record is stored, the last edit wins', async () => {
  const rig = await memoryRig(planOf(8));
  onTestFinished(() => rig.close());
  const { users, edits, merges, stored, wrong } = await storm(rig, { editsOfEach: 50, sliceMs: 400 });
  expect([users, edits, stored, wrong]).toEqual([480, 24_000, 24_000, 0]);
  expect(merges / users).toBeLessThanOrEqual(1.5);
}, 120_000);

test('B8 without waiting for the storm to pass, users are fetched again and again', async () => {
  vi.spyOn(Storm.prototype, 'calmInMs', 'get').mockReturnValue(0);
  onTestFinished(() => void vi.restoreAllMocks());
  const rig = await memoryRig(planOf(1));
  onTestFinished(() => rig.close());
  const { users, merges, wrong } = await storm(rig, { editsOfEach: 10, sliceMs: 2_000 });
  expect(wrong).toBe(0);
  expect(merges / users).toBeGreaterThan(1.5);
}, 120_000);

test('B8 two terminals on TCP: 6,000 edits of 120 users are all stored, and each user is fetched about once', async () => {
  const rig = await realRig('tcp', planOf(2));
  onTestFinished(() => rig.close());
  const { users, merges, stored, wrong } = await storm(rig, { editsOfEach: 50, sliceMs: 5 });
  expect([stored, wrong]).toEqual([6_000, 0]);
  expect(merges / users).toBeLessThanOrEqual(1.5);
}, 120_000);

test('B8 B7 while the database does not keep up, the terminals’ own logs are the buffer: the gateway holds one page of each', async () => {
  const rig = await memoryRig(planOf(2));
  onTestFinished(() => rig.close());
  await allOnline(rig);
  const { store } = rig.gateway;
  const record = store.recordIntake.bind(store);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const waiting: number[] = [];
  let stored = 0;
  vi.spyOn(store, 'recordIntake').mockImplementation(async (intake) => {
    waiting.push(intake.events.length);
    await held;
    const events = await record(intake);
    stored += events.length;
    return events;
  });
  const terminals = [...rig.terminals.values()];
  for (const terminal of terminals) terminal.turnAway(5_000);
  await rig.pass(30_000);
  expect(waiting).toHaveLength(2);
  expect(Math.max(...waiting)).toBeLessThan(200);
  release();
  await rig.until('all records stored', () => stored === 10_000, { withinMs: 300_000 });
}, 120_000);
