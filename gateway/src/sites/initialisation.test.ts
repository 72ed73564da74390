import { FIELDS } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { carded, named, World } from './testing/world.ts';
import type { SatelliteNode } from './testing/world.ts';

const USERS = 200;
const PHOTO = FIELDS.photo.number;

/** A master with so many users, each with a picture, and a satellite whose terminals have worked without it. */
async function open(seed: number): Promise<{ world: World; north: SatelliteNode }> {
  const world = await World.open(seed);
  onTestFinished(() => world.close());
  for (let user = 1; user <= USERS; user += 1)
    await world.hq.edit(user, {
      ...named(`User ${user}`),
      ...carded(user),
      [PHOTO]: world.random.bytes(600),
    });
  world.bus.link(2, false);
  const north = await world.add('north');
  await north.enrol(5_000, { ...named('Local'), ...carded(5_000) });
  world.bus.link(2, true);
  return { world, north };
}

test(
  'S11 an initialisation tells what is left and how long that takes, and after a cut goes on where it was, newest first',
  { timeout: 60_000 },
  async () => {
    const { world, north } = await open(1);
    world.bus.weather = { lost: 0, doubled: 0, delayMs: 200 };
    const begun = north.satellite.syncNow().catch(() => undefined);
    const { clock } = world;
    await clock.run({ forMs: 60_000, done: () => north.satellite.state.leftMs !== undefined });
    const { step, left = 0, leftMs = 0 } = north.satellite.state;
    expect(step).toBe('walk');
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(USERS);
    expect(leftMs).toBeGreaterThan(0);
    world.bus.link(2, false);
    await world.during(begun);
    // Whoever its own terminals have enrolled is at the master already; of the others the newest are here.
    expect(await world.hq.store.user(5_000)).toBeDefined();
    const had = Object.keys(await north.contents()).map(Number);
    expect(had.length).toBeLessThan(USERS);
    const newest = had.filter((user) => user !== 5_000);
    expect(Math.min(...newest)).toBe(USERS - newest.length + 1);
    world.bus.link(2, true);
    const before = world.bus.bytes;
    expect(await north.sync()).toBeUndefined();
    expect(await north.contents()).toEqual(await world.hq.contents());
    const added = await north.store.events({ type: 'user.added', limit: 10_000 });
    expect(added).toHaveLength(USERS);
    // What was there is not sent again.
    expect(world.bus.bytes - before).toBeLessThan((USERS - newest.length) * 1_500);
  },
);

test(
  'S10 S11 a satellite that loses its disk amid an initialisation begins anew, and is complete',
  { timeout: 60_000 },
  async () => {
    const { world, north } = await open(2);
    const begun = north.satellite.syncNow().catch(() => undefined);
    await world.clock.run({ forMs: 60_000, done: () => north.satellite.state.leftMs !== undefined });
    world.bus.link(2, false);
    await world.during(begun);
    await world.during(north.satellite.stop());
    await world.master.list.reset('north');
    world.master.part(2);
    world.bus.link(2, true);
    const fresh = await world.replace(north);
    expect(await fresh.sync()).toBeUndefined();
    expect(await fresh.contents()).toEqual(await world.hq.contents());
    await world.during(fresh.satellite.stop());
  },
);
