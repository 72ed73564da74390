import { expect, onTestFinished, test, vi } from 'vitest';
import type { Satellite } from './satellite.ts';
import type { SitesCrossing } from './testing/bus.ts';
import { named, SatelliteNode, World } from './testing/world.ts';

const MINUTE_MS = 60_000;
const TRIES_MS = 26 * MINUTE_MS;

async function open(): Promise<{ world: World; north: SatelliteNode }> {
  const world = await World.open(21);
  onTestFinished(() => world.close());
  const north = await world.add('north');
  north.settings = { ...north.settings, intervalMinutes: 60, continuous: true };
  expect(await north.sync()).toBeUndefined();
  return { world, north };
}

/** Another machine that says to be this site. */
async function rival(
  world: World,
  { name, syncId }: SatelliteNode,
  identity?: SatelliteNode['identity'],
): Promise<SatelliteNode> {
  const about = { name, syncId, store: world.store() };
  const node = new SatelliteNode(world, identity === undefined ? about : { ...about, identity });
  await node.begin();
  return node;
}

async function told({ store }: Pick<SatelliteNode, 'store'>): Promise<string[]> {
  const events = await store.events({ limit: 1000 });
  return events.filter(({ type }) => type.startsWith('site.')).map(({ type }) => type);
}

const RIVALS = {
  'with the credentials of a site': { code: 'SITES_CLASH', copied: false },
  'that is a copy of a site’s machine': { code: 'SITES_CLONE', copied: true },
} as const;

test.each(Object.entries(RIVALS))(
  'S3 a second machine %s is refused for as long as it tries, and the first one is not disturbed',
  async (_, { code, copied }) => {
    const { world, north } = await open();
    const [here, there] = [await told(north), await told(world.hq)];
    const other = await rival(world, north, copied ? { ...north.identity } : undefined);
    expect(await other.sync()).toBe(code);
    expect(other.satellite.state.trouble?.text).toContain('pc of north');
    await world.pass(TRIES_MS);
    await world.hq.edit(1, named('Ada'));
    await world.master.tellNews();
    await world.pass(2_000);
    expect(Object.keys(await north.contents())).toEqual(['1']);
    expect(await told(north)).toEqual(here);
    expect(await told(world.hq)).toEqual([...there, 'site.refused']);
    expect(world.master.state(2)).toMatchObject({ online: true, trouble: { code } });
    await world.during(other.satellite.stop());
    expect(world.master.state(2).online).toBe(true);
  },
);

test('S3 a copy that came first keeps the place until the reset, and who comes then is told so', async () => {
  const { world, north } = await open();
  world.bus.link(2, false);
  await world.pass(10_000);
  const copy = await rival(world, north, { ...north.identity });
  world.bus.link(2, true);
  expect(await copy.sync()).toBeUndefined();
  expect(await north.sync()).toBe('SITES_CLONE');
  await world.during(copy.satellite.stop());
  await world.master.list.reset('north');
  world.master.part(2);
  expect(await north.sync()).toBeUndefined();
});

test('S3 a machine that runs with the data directory of another site is told which one it is, bound or not', async () => {
  const { world, north } = await open();
  const south = await world.add('south');
  expect(await south.sync()).toBeUndefined();
  await world.during(south.satellite.stop());
  const swapped = await rival(world, north, { ...south.identity });
  expect(await swapped.sync()).toBe('SITES_CLASH');
  const text = /data directory of .* is that of site south \(sync id 3\).*configuration that of site north/;
  expect(swapped.satellite.state.trouble?.text).toMatch(text);
  expect(world.master.state(2).trouble?.text).toMatch(text);
  await world.during(north.satellite.stop());
  await world.master.list.reset('north');
  world.master.part(2);
  expect(await swapped.sync(), 'nor does it become the site').toBe('SITES_CLASH');
  await world.during(swapped.satellite.stop());
});

test('S7 a machine whose process was killed is let in again, although the master waits for a sign of the one before', async () => {
  const { world, north } = await open();
  const before: Satellite = north.satellite;
  world.bus.hangUp(2);
  await world.during(before.stop());
  north.renew();
  const began = world.clock.now();
  expect(await north.sync()).toBeUndefined();
  expect(world.clock.now() - began).toBeLessThan(10_000);
});

test('S7 what a killed process had sent last comes late over a slow link, and is not taken for a sign of another machine', async () => {
  const { world, north } = await open();
  const underWay: SitesCrossing[] = [];
  world.bus.man = (crossing) => {
    if (crossing.up) underWay.push(crossing);
    return [];
  };
  const cutOff = north.satellite.syncNow().catch(() => undefined);
  await world.pass(1_000);
  // The broker tells the master, who waits for a sign from here on.
  world.bus.hangUp(2);
  await world.during(Promise.all([north.satellite.stop(), cutOff]));
  world.bus.man = undefined;
  await world.pass(3_000);
  const [last] = underWay;
  if (last === undefined) throw new Error('nothing was under way');
  world.bus.say(last);
  north.renew();
  expect(await north.sync()).toBeUndefined();
  expect(await told(world.hq)).not.toContain('site.refused');
});

test('S7 after a broken link a satellite is back without a wait, and nobody is told that it was away', async () => {
  const { world, north } = await open();
  const [here, there] = [await told(north), await told(world.hq)];
  world.bus.hangUp(2);
  await world.pass(3_000);
  await world.hq.edit(1, named('Ada'));
  expect(await north.sync()).toBeUndefined();
  expect(Object.keys(await north.contents())).toEqual(['1']);
  expect(await told(north)).toEqual(here);
  expect(await told(world.hq)).toEqual(there);
});

test('S11 a satellite that is silent is offline after a while, whatever the broker kept, and online again once it speaks', async () => {
  const { world } = await open();
  await world.pass(30 * MINUTE_MS);
  expect(world.master.state(2).online, 'it answers, though it exchanges nothing').toBe(true);
  world.bus.man = () => [];
  await world.pass(15 * MINUTE_MS);
  expect(world.master.state(2).online).toBe(false);
  expect((await told(world.hq)).at(-1)).toBe('site.offline');
  world.bus.man = undefined;
  await world.pass(90 * MINUTE_MS);
  expect(world.master.state(2).online).toBe(true);
});

test('S11 who is said to be at the broker, and has no session since the master’s start, is asked to log in, or is offline', async () => {
  const { world, north } = await open();
  await world.replaceMaster(world.hq.store);
  world.master.presence(2, true);
  await world.pass(15 * MINUTE_MS);
  expect(world.master.loggedIn(2), 'long before its next exchange').toBe('pc of north');
  await world.during(north.satellite.stop());
  await world.replaceMaster(world.hq.store);
  world.master.presence(2, true);
  await world.pass(15 * MINUTE_MS);
  expect(world.master.state(2).online).toBe(false);
});

test('S11 somebody who says at the broker that a site is away is not believed while it answers', async () => {
  const { world } = await open();
  world.master.presence(2, false);
  await world.pass(10_000);
  expect(world.master.state(2).online).toBe(true);
  expect(await told(world.hq)).not.toContain('site.offline');
  world.bus.man = vi.fn(() => []);
  world.master.presence(2, false);
  await world.pass(10_000);
  expect(world.master.state(2).online).toBe(false);
});
