import { expect, onTestFinished, test } from 'vitest';
import { probeMaster } from './probe-master.ts';
import { probeSite } from './probe-site.ts';
import type { Probe, ProbeStep } from './probe.ts';
import { named, World } from './testing/world.ts';
import type { SatelliteNode } from './testing/world.ts';
import { newIdentity } from './identity.ts';
import { WhorlError } from '@whorl/protocol';

async function open(): Promise<{ world: World; north: SatelliteNode }> {
  const world = await World.open();
  onTestFinished(() => world.close());
  const north = await world.add('north', { paused: true });
  return { world, north };
}

async function looked(world: World, work: Promise<readonly Probe[]>): Promise<readonly Probe[]> {
  const got: Probe[] = [];
  expect(await world.during(work.then((probes) => got.push(...probes)))).toBeUndefined();
  return got;
}

function fromNorth(
  world: World,
  { ground, satellite, syncId }: SatelliteNode,
  way: readonly ProbeStep[] = [],
): Promise<readonly Probe[]> {
  return looked(world, probeMaster({ ground, satellite, syncId, master: 'hq', way }));
}

const FINE = ['login ok', 'id ok', 'version ok', 'clock ok', 'round trip ok', 'password ok'];

const states = (probes: readonly Probe[]): string[] =>
  probes.map(({ step, state, code }) => [step, state, ...(code === undefined ? [] : [code])].join(' '));

test('S8 before the first login a look at the connection goes all the way, and binds no machine, hands out no token and begins no exchange', async () => {
  const { world, north } = await open();
  await world.hq.edit(1, named('Ada'));
  const probes = await fromNorth(world, north);
  expect(states(probes)).toEqual(FINE);
  expect(probes.map(({ text }) => text).join('\n')).toContain('not bound to a machine yet');
  expect(world.master.list.named('north').binding).toBeUndefined();
  expect(north.identity.token).toBeUndefined();
  expect(await north.contents()).toEqual({});
  const told = await world.hq.store.events({ limit: 100 });
  expect(told.filter(({ type }) => type.startsWith('site.'))).toEqual([]);
  // Another machine may still come first.
  north.identity = newIdentity(world.random);
  expect(await north.sync()).toBeUndefined();
});

test('S8 a look during an exchange asks between its questions, in the same session', async () => {
  const { world, north } = await open();
  for (let user = 1; user <= 200; user += 1) await world.hq.edit(user, named(`User ${user}`));
  expect(await north.sync()).toBeUndefined();
  const token = north.identity.token;
  for (let user = 201; user <= 700; user += 1) await world.hq.edit(user, named(`User ${user}`));
  const exchange = north.satellite.syncNow();
  while (north.satellite.state.step !== 'users') await world.pass(20);
  const sessions = world.master.loggedIn(2);
  const probes = await fromNorth(world, north);
  expect(states(probes)).toEqual(FINE);
  expect(probes[0]?.text).toContain('session');
  expect(north.satellite.state.step, 'it was not over').toBeDefined();
  expect(await world.during(exchange)).toBeUndefined();
  expect(Object.keys(await north.contents())).toHaveLength(700);
  expect(world.master.loggedIn(2)).toBe(sessions);
  expect(north.identity.token).not.toEqual(token);
});

test('S8 each thing that is wrong is told at its step, with what to do, and what comes behind it is left out', async () => {
  const { world, north } = await open();
  const noPort = {
    step: 'port',
    look: () => Promise.reject(new WhorlError('SITES_PORT', 'hq:8883: refused')),
  };
  const port = await fromNorth(world, north, [noPort]);
  expect(states(port).slice(0, 2)).toEqual(['port failed SITES_PORT', 'login skipped']);
  expect(port[0]?.remedy).toMatch(/firewall/);
  north.password = 'not the password';
  expect(states(await fromNorth(world, north))).toContain('login failed SITES_PASSWORD');
  north.password = 'correct horse battery';
  expect(await north.sync()).toBeUndefined();
  await world.during(north.satellite.stop());
  north.identity = newIdentity(world.random);
  north.renew();
  const clash = await fromNorth(world, north);
  expect(states(clash)[0]).toBe('login failed SITES_CLASH');
  expect(clash[0]?.remedy).toContain('whorl sites reset');
  world.bus.weather = { lost: 1000, doubled: 0, delayMs: 1 };
  expect(states(await fromNorth(world, north))[0]).toBe('login failed SITES_LINK');
});

test('S8 at the master a satellite that has logged in answers, also while it is idle, and one that is away is told of', async () => {
  const { world, north } = await open();
  const look = (): Promise<readonly Probe[]> =>
    looked(world, probeSite(world.hq.ground, world.master, 'north'));
  expect(states(await look())).toContain('broker failed SITES_AWAY');
  expect(await north.sync()).toBeUndefined();
  expect(states(await look())).toEqual([
    ...['list ok', 'broker ok', 'login ok', 'id ok', 'round trip ok', 'version ok', 'clock ok'],
  ]);
  world.bus.link(2, false);
  await world.pass(6_000);
  expect(states(await look())).toContain('broker failed SITES_AWAY');
});
