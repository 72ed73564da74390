import { expect, onTestFinished, test } from 'vitest';
import { SITES_PROTOCOL } from './login-words.ts';
import { named, World } from './testing/world.ts';
import type { Node, SatelliteNode } from './testing/world.ts';

const MINUTES = 60_000;

async function open(seed: number): Promise<{ world: World; north: SatelliteNode }> {
  const world = await World.open(seed);
  onTestFinished(() => world.close());
  const north = await world.add('north');
  await world.hq.edit(1, named('Ann'));
  return { world, north };
}

/** Another release. */
function speaks({ ground }: Node, protocol: number): void {
  Object.assign(ground, { protocol });
}

/** Both ends say why, each once, in a state and as an event. */
async function expectRefused(
  world: World,
  north: SatelliteNode,
  [satellite, master]: readonly [number, number],
): Promise<void> {
  const text = `the satellite speaks version ${satellite} of the sync, the master ${master}`;
  const trouble = { code: 'SITES_VERSION' };
  expect(north.satellite.state).toMatchObject({ online: false, trouble });
  expect(north.satellite.state.trouble?.text).toContain(text);
  expect(world.master.state(2).trouble).toMatchObject(trouble);
  expect(world.master.state(2).trouble?.text).toContain(text);
  for (const { store } of [world.hq, north]) {
    const told = await store.events({ type: 'site.refused', limit: 10 });
    expect(told.map(({ data }) => data)).toMatchObject([{ code: 'SITES_VERSION' }]);
  }
}

async function expectAtWork(world: World, north: SatelliteNode): Promise<void> {
  expect(north.satellite.state.trouble).toBeUndefined();
  expect(world.master.state(2).trouble).toBeUndefined();
  expect(await north.contents()).toEqual(await world.hq.contents());
}

for (const [peer, apart] of [
  ['an older', -1],
  ['a newer', 1],
] as const) {
  test(`S10 ${peer} satellite is refused with a sentence at both ends, and goes on by itself once it is brought into line`, async () => {
    const { world, north } = await open(1);
    speaks(north, SITES_PROTOCOL + apart);
    expect(await north.sync()).toBe('SITES_VERSION');
    await world.pass(30 * MINUTES);
    await expectRefused(world, north, [SITES_PROTOCOL + apart, SITES_PROTOCOL]);
    expect(await north.contents()).toEqual({});
    speaks(north, SITES_PROTOCOL);
    await world.pass(6 * MINUTES);
    await expectAtWork(world, north);
    const [accepted] = await world.hq.store.events({ type: 'site.accepted', limit: 10 });
    expect(accepted?.data).toEqual({ site: 'north', code: 'SITES_VERSION' });
    expect(await north.store.events({ type: 'site.online', limit: 10 })).toHaveLength(1);
  });
}

test('S10 a satellite waits for a master of another release, and goes on by itself when that is brought into line', async () => {
  const { world, north } = await open(2);
  expect(await north.sync()).toBeUndefined();
  await world.replaceMaster(world.hq.store, SITES_PROTOCOL + 1);
  await north.enrol(7, named('Bo'));
  await world.pass(30 * MINUTES);
  await expectRefused(world, north, [SITES_PROTOCOL, SITES_PROTOCOL + 1]);
  await world.replaceMaster(world.hq.store);
  await world.pass(6 * MINUTES);
  await expectAtWork(world, north);
  expect(Object.keys(await world.hq.contents())).toEqual(['1', '7']);
});

test('S10 each exchange says which one it is: in a session that stands another one is refused as well, at whichever end it is noticed', async () => {
  for (const end of ['master', 'satellite'] as const) {
    const { world, north } = await open(3);
    expect(await north.sync()).toBeUndefined();
    const stood = world.master.loggedIn(2);
    speaks(end === 'master' ? world.hq : north, SITES_PROTOCOL + 1);
    await north.enrol(7, named('Bo'));
    expect(await north.sync()).toBe('SITES_VERSION');
    expect(world.master.loggedIn(2)).toBe(stood);
    expect(Object.keys(await world.hq.contents())).toEqual(['1']);
    const apart = SITES_PROTOCOL + 1;
    await expectRefused(world, north, end === 'master' ? [SITES_PROTOCOL, apart] : [apart, SITES_PROTOCOL]);
    for (const node of [world.hq, north]) speaks(node, SITES_PROTOCOL);
    await world.pass(6 * MINUTES);
    await expectAtWork(world, north);
  }
});
