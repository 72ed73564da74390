import { FIELDS } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { fakeOperations } from '../mqtt/testing/bench.ts';
import { eraseUser } from '../sync/erasure.ts';
import { decideConflict } from '../sync/inbox.ts';
import { ownedOperations } from './owned.ts';
import { carded, grouped, named, SatelliteNode, World } from './testing/world.ts';

async function open(seed?: number): Promise<World> {
  const world = await World.open(seed);
  onTestFinished(() => world.close());
  return world;
}

test('S4 S6 what the master has comes down, what a terminal enrols goes up, is merged, and comes down elsewhere', async () => {
  const world = await open();
  await world.hq.edit(1, named('Ada'));
  const [north, south] = [await world.add('north'), await world.add('south')];
  expect(await north.sync()).toBeUndefined();
  expect(Object.keys(await north.contents())).toEqual(['1']);
  await north.enrol(2, { ...named('Bo'), ...carded(7) });
  await north.enrol(1, carded(9));
  expect(await north.sync()).toBeUndefined();
  expect(await south.sync()).toBeUndefined();
  expect(Object.keys(await world.hq.contents())).toEqual(['1', '2']);
  expect(await north.contents()).toEqual(await world.hq.contents());
  expect(await south.contents()).toEqual(await world.hq.contents());
  const merged = await world.hq.store.user(2);
  expect([...(merged?.provenance.values() ?? [])].map(({ terminal }) => terminal)).toEqual([
    'north/door-1',
    'north/door-1',
  ]);
});

test('S6 a field that both sides filled is a conflict at the master, named by site, and the master’s comes down', async () => {
  const world = await open();
  await world.hq.edit(1, named('Ada'));
  const north = await world.add('north');
  await north.sync();
  await world.hq.edit(1, { ...named('Ada'), ...carded(1) });
  await north.enrol(1, carded(2));
  expect(await north.sync()).toBeUndefined();
  expect(await north.contents()).toEqual(await world.hq.contents());
  const [conflict] = await world.hq.store.conflicts({ state: 'open', limit: 10 });
  expect(conflict).toMatchObject({ user: 1, kind: 'card', terminal: 'north/door-1' });
  expect((await world.hq.store.conflict(conflict?.id ?? 0))?.theirs.record.fields.size).toBe(1);
});

test('S5 a satellite has the users in its scope only, and loses those who leave it', async () => {
  const world = await open();
  await world.hq.edit(1, { ...named('Ada'), ...grouped(1) });
  await world.hq.edit(2, { ...named('Bo'), ...grouped(2) });
  const north = await world.add('north', { groups: [1] });
  await north.sync();
  expect(Object.keys(await north.contents())).toEqual(['1']);
  await world.hq.edit(1, { ...named('Ada'), ...grouped(2) });
  await world.hq.edit(2, { ...named('Bo'), ...grouped(1) });
  await north.sync();
  expect(Object.keys(await north.contents())).toEqual(['2']);
  await world.hq.remove(2);
  await north.sync();
  expect(await north.contents()).toEqual({});
});

test('S5 the master has a copy of every event of its satellites, each once', async () => {
  const world = await open();
  const north = await world.add('north');
  for (let user = 1; user <= 30; user += 1) await north.enrol(user, named(`User ${user}`));
  world.bus.weather = { lost: 200, doubled: 200, delayMs: 50 };
  expect(await north.sync()).toBeUndefined();
  world.bus.weather = { lost: 0, doubled: 0, delayMs: 50 };
  expect(await north.sync()).toBeUndefined();
  const there = await north.store.events({ type: 'user.merged', limit: 1000 });
  const copy = await world.hq.store.sites.siteEvents({ site: 2, type: 'user.merged', limit: 1000 });
  expect(copy.map(({ id }) => id).reverse()).toEqual(there.map(({ id }) => id));
});

test('S4 an interval of 0 pauses, sync now does it at once, and a change is exchanged as it happens when continuous', async () => {
  const world = await open();
  const north = await world.add('north');
  north.settings = { ...north.settings, intervalMinutes: 0 };
  north.satellite.resettled();
  await world.hq.edit(1, named('Ada'));
  await world.pass(86_400_000);
  expect(await north.contents()).toEqual({});
  await north.sync();
  expect(Object.keys(await north.contents())).toEqual(['1']);
  north.settings = { ...north.settings, intervalMinutes: 60, continuous: true };
  north.satellite.resettled();
  await world.hq.edit(2, named('Bo'));
  await world.during(world.master.tellNews());
  await world.pass(5_000);
  expect(Object.keys(await north.contents())).toEqual(['1', '2']);
});

test('S7 a link that is away for weeks loses nothing and doubles nothing', async () => {
  const world = await open();
  const north = await world.add('north');
  await north.sync();
  world.bus.link(north.syncId, false);
  for (let day = 0; day < 20; day += 1) {
    await north.enrol(100 + day, { ...named(`North ${day}`), ...carded(100 + day) });
    await world.hq.edit(200 + day, named(`Hq ${day}`));
    await world.pass(86_400_000);
  }
  expect(north.satellite.state).toMatchObject({ online: false });
  expect(north.satellite.state.trouble).toBeDefined();
  world.bus.link(north.syncId, true);
  await world.pass(1_800_000);
  expect(Object.keys(await world.hq.contents())).toHaveLength(40);
  expect(await north.contents()).toEqual(await world.hq.contents());
});

test('S3 a clone and a second machine are refused at both ends, and one reset lets the right one in', async () => {
  const world = await open();
  const north = await world.add('north');
  await north.sync();
  const copied = { ...north.identity };
  await world.during(north.satellite.stop());
  const { hardware, token } = copied;
  expect(token).toBeDefined();
  const original = new SatelliteNode(world, {
    name: 'north',
    syncId: 2,
    store: north.store,
    identity: copied,
  });
  await original.begin();
  expect(await original.sync()).toBeUndefined();
  expect(await world.during(original.satellite.stop())).toBeUndefined();
  const clone = new SatelliteNode(world, {
    ...{ name: 'north', syncId: 2, store: world.store() },
    identity: { hardware, token },
  });
  await clone.begin();
  expect(await clone.sync()).toBe('SITES_CLONE');
  expect(world.master.state(2).trouble?.code).toBe('SITES_CLONE');
  const other = new SatelliteNode(world, { name: 'north', syncId: 2, store: world.store() });
  await other.begin();
  expect(await other.sync()).toBe('SITES_CLASH');
  await world.master.list.reset('north');
  world.master.part(2);
  expect(await other.sync()).toBeUndefined();
  for (const node of [clone, other]) await world.during(node.satellite.stop());
});

test('S3 a second machine stands in the master’s status until it has not come for a while, whatever the right one does', async () => {
  const world = await open();
  const north = await world.add('north');
  await north.sync();
  const other = await world.replace(north);
  expect(await other.sync()).toBe('SITES_CLASH');
  expect(await north.sync()).toBeUndefined();
  expect(world.master.state(2).trouble?.code).toBe('SITES_CLASH');
  await world.during(other.satellite.stop());
  await world.pass(1_200_000);
  expect(await north.sync()).toBeUndefined();
  expect(world.master.state(2).trouble).toBeUndefined();
});

test('S3 a master that is killed before its answer arrives takes nobody for a copy, in a session that began by password either', async () => {
  const world = await open();
  const north = await world.add('north');
  expect(await north.sync()).toBeUndefined();
  world.master.start({ send: () => Promise.resolve() });
  expect(await north.sync()).toBe('SITES_LINK');
  await world.replaceMaster(world.hq.store);
  expect(await north.sync()).toBeUndefined();
});

test('S6 two people under one id are told apart at the master, and the site’s own stays until that is decided', async () => {
  const world = await open();
  const north = await world.add('north');
  await north.sync();
  await world.hq.edit(5, { ...named('Ada'), ...carded(1) });
  await north.enrol(5, { ...named('Bo'), ...carded(2) });
  expect(await north.sync()).toBeUndefined();
  const [conflict] = await world.hq.store.conflicts({ state: 'open', limit: 10 });
  expect(conflict).toMatchObject({ user: 5, kind: 'two-people', terminal: 'north/door-1' });
  expect(await north.contents()).not.toEqual(await world.hq.contents());
  await decideConflict(world.hq.site, conflict?.id ?? 0, { take: 'new-id', user: 6 });
  expect(await north.sync()).toBeUndefined();
  expect(Object.keys(await north.contents())).toEqual(['5', '6']);
  expect(await north.contents()).toEqual(await world.hq.contents());
  expect(await world.hq.store.ledger({ terminal: 'north/door-1', limit: 10 })).toEqual([]);
});

test('S6 so many users are not removed at a satellite that somebody did not confirm it', async () => {
  const world = await open();
  for (let user = 1; user <= 40; user += 1)
    await world.hq.edit(user, { ...named(`User ${user}`), ...grouped(1) });
  const north = await world.add('north', { groups: [1] });
  await north.sync();
  await world.master.list.edit('north', { groups: [2] }, () => Promise.resolve());
  expect(await north.sync()).toBeUndefined();
  const left = Object.keys(await north.contents()).length;
  expect(left).toBeGreaterThan(30);
  const waiting = await north.store.sites.aside({ by: 'since', limit: 100 });
  expect(new Set(waiting.map(({ code }) => code))).toEqual(new Set(['GUARD_EXCEEDED']));
  expect(await north.sync()).toBeUndefined();
  expect(Object.keys(await north.contents())).toHaveLength(left);
  expect(await north.sync({ release: true })).toBeUndefined();
  expect(await north.contents()).toEqual({});
  expect(await north.store.sites.countAside()).toBe(0);
});

test('S6 what a satellite has is edited at the master only, with the reason in the answer', async () => {
  const operations = ownedOperations(fakeOperations(), { conflict: () => Promise.resolve(undefined) }, 'hq');
  await expect(operations.editUser(1, { set: {}, clear: [] })).rejects.toMatchObject({
    code: 'SITES_OWNED',
    message: expect.stringContaining('at the master, hq') as string,
  });
  await expect(operations.changeSettings({ hold: false })).rejects.toMatchObject({ code: 'SITES_OWNED' });
  await expect(operations.changeSettings({ restoreDeleted: true })).resolves.toBeDefined();
  await expect(operations.push([1], ['door'])).resolves.toBe(1);
});

test('B17 who is erased at the master is erased at every site, and in its copy of their events', async () => {
  const world = await open();
  const north = await world.add('north');
  await north.enrol(3, named('Cy'));
  await north.sync();
  await eraseUser(world.hq.site, 3, 'ada');
  await north.sync();
  await north.sync();
  expect(await north.contents()).toEqual({});
  expect(await north.store.sites.erased([3])).toEqual([3]);
  expect(await world.hq.store.sites.siteEvents({ user: 3, limit: 10 })).toEqual([]);
});

test('S12 a broker sees no name, template or password', async () => {
  const world = await open();
  const seen: Buffer[] = [];
  world.bus.tap = (bytes) => seen.push(Buffer.from(bytes));
  await world.hq.edit(1, { ...named('Adalbert'), [0x10]: Buffer.alloc(40, 'card') });
  const north = await world.add('north');
  await north.enrol(2, named('Berthold'));
  await north.sync();
  const all = Buffer.concat(seen);
  for (const secret of ['Adalbert', 'Berthold', 'cardcard', 'correct horse'])
    expect(all.includes(secret)).toBe(false);
});

test('S5 a site that has the sync id of another one that was removed begins with nothing of theirs', async () => {
  const world = await open();
  const north = await world.add('north');
  await north.enrol(5, named('Eve'));
  expect(await north.sync()).toBeUndefined();
  await world.master.list.remove('north');
  world.master.part(2);
  // On its way while the site was removed.
  const row = { terminal: 'door-1', user: 5, checked: 5 };
  await world.hq.store.sites.mark([{ kind: 'holdings', site: 2, fresh: false, rows: [row] }]);
  const west = await world.add('west', { syncId: 2 });
  expect(await world.hq.store.sites.siteHoldings(2, undefined, 10)).toEqual([]);
  await west.enrol(6, named('Fay'));
  expect(await west.sync()).toBeUndefined();
  const merged = await world.hq.store.sites.siteEvents({ site: 2, type: 'user.merged', limit: 10 });
  expect(merged.map(({ user, name }) => [user, name])).toEqual([
    [6, 'west'],
    [5, 'north'],
  ]);
});

test('B16 S6 who is held apart of a site stays so when it offers something else under the id, until all of them is otherwise', async () => {
  const world = await open();
  await world.hq.edit(5, { ...named('Ada'), ...carded(1) });
  const north = await world.add('north', { paused: true });
  await north.enrol(5, { ...named('Bo'), ...carded(2) });
  await north.sync();
  await world.master.list.reset('north');
  world.master.part(2);
  const fresh = await world.replace(north);
  const finger = { [FIELDS['finger.0'].number]: Uint8Array.of(1, 1, 7) };
  await fresh.enrol(5, finger);
  expect(await fresh.sync()).toBeUndefined();
  const apart = (): Promise<readonly unknown[]> =>
    world.hq.store.conflicts({ kind: 'two-people', state: 'open', limit: 10 });
  expect(await apart()).toHaveLength(1);
  await fresh.enrol(5, { ...named('Ada'), ...carded(1) });
  expect(await fresh.sync()).toBeUndefined();
  expect(await apart()).toEqual([]);
});

test('S10 of whom a site dropped it is remembered who they were and when that was, whoever has the number since', async () => {
  const world = await open(23);
  const north = await world.add('north');
  await world.hq.edit(1, named('Ada'));
  expect(await north.sync()).toBeUndefined();
  await world.hq.remove(1);
  const time = world.hq.site.now;
  await world.pass(60_000);
  expect(await north.sync()).toBeUndefined();
  const dropped = await north.store.sites.gone(0, 10);
  expect(dropped).toMatchObject([{ user: 1, time, erased: false }]);
  await north.enrol(1, named('Ada'));
  expect(await north.sync()).toBeUndefined();
  expect(await world.hq.contents()).toEqual(await north.contents());
  expect(await north.store.sites.gone(0, 10)).toEqual(dropped);
});
