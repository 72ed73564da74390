import { recordOf } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { eraseUser } from '../sync/erasure.ts';
import { backedUp, siteBackedUp } from './testing/backups.ts';
import { carded, entries, named } from './testing/world.ts';
import type { SatelliteNode, World } from './testing/world.ts';

test('S10 who was deleted behind the backup that a master went back to stays deleted, and whoever has the number since stays', async () => {
  const { world, back } = await backedUp(5);
  const [north, south] = [await world.add('north'), await world.add('south')];
  for (const user of [1, 2, 3]) await world.hq.edit(user, { ...named(`User ${user}`), ...carded(user) });
  for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
  await back.make();
  for (const user of [1, 2, 3]) await world.hq.remove(user);
  await world.hq.edit(3, named('Somebody else'));
  expect(await north.sync()).toBeUndefined();
  await back.goBack();
  expect(Object.keys(await world.hq.contents())).toEqual(['1', '2', '3']);
  await world.hq.edit(2, named('Again'));
  for (const one of [north, south, north, south]) expect(await one.sync()).toBeUndefined();
  // Of number 2 somebody at the master has decided since; of number 3 nobody can tell, and nobody is lost.
  expect(Object.keys(await world.hq.contents())).toEqual(['2', '3']);
  expect(await south.contents()).toEqual(await world.hq.contents());
  const remembered = await north.store.sites.gone(0, 10);
  expect(
    remembered.map(({ user }) => user),
    'whom the master keeps is gone no more',
  ).toEqual([1]);
  const [apart] = await world.hq.store.conflicts({ state: 'open', limit: 10 });
  expect(apart).toMatchObject({ user: 3, kind: 'two-people', terminal: 'north/-' });
});

test('S10 who was deleted between two backups that a master went back to one after the other stays deleted', async () => {
  const { world, back } = await backedUp(6);
  const north = await world.add('north');
  await world.hq.edit(1, { ...named('Ada'), ...carded(1) });
  expect(await north.sync()).toBeUndefined();
  await back.make();
  await world.hq.edit(2, named('Bo'));
  expect(await north.sync()).toBeUndefined();
  await back.goBack();
  await back.make();
  await world.hq.remove(1);
  expect(await north.sync()).toBeUndefined();
  expect(Object.keys(await north.contents())).toEqual(['2']);
  await back.goBack();
  expect(Object.keys(await world.hq.contents())).toEqual(['1']);
  for (const one of [north, north]) expect(await one.sync()).toBeUndefined();
  expect(Object.keys(await world.hq.contents())).toEqual(['2']);
  expect(Object.keys(await north.contents())).toEqual(['2']);
});

test('B16 S10 who has the number of somebody erased, and was made behind the backup that a master went back to, is not erased', async () => {
  const { world, back } = await backedUp(19);
  const north = await world.add('north');
  await world.hq.edit(5, named('Ada'));
  expect(await north.sync()).toBeUndefined();
  await eraseUser(world.hq.site, 5, 'ada');
  expect(await north.sync()).toBeUndefined();
  await back.make();
  await world.hq.edit(5, named('Bo'));
  expect(await north.sync()).toBeUndefined();
  const bo = await north.contents();
  await back.goBack();
  await world.hq.edit(5, named('Cy'));
  for (let times = 0; times < 3; times += 1) expect(await north.sync()).toBeUndefined();
  expect(await north.contents()).toEqual(bo);
  const [apart] = await world.hq.store.conflicts({ state: 'open', limit: 10 });
  expect(apart).toMatchObject({ user: 5, kind: 'two-people', terminal: 'north/-' });
});

test('S10 who was deleted does not come with the backup that a site went back to, whatever the master lost before', async () => {
  const { world, back } = await backedUp(17);
  await world.hq.edit(5, named('Ada'));
  const north = await siteBackedUp(world, 'north');
  expect(await north.node().sync()).toBeUndefined();
  await back.make();
  await world.hq.edit(6, named('Bo'));
  expect(await north.node().sync()).toBeUndefined();
  await north.back.make();
  await back.goBack();
  for (let times = 0; times < 2; times += 1) expect(await north.node().sync()).toBeUndefined();
  expect(Object.keys(await world.hq.contents())).toEqual(['5', '6']);
  await world.hq.remove(5);
  expect(await north.node().sync()).toBeUndefined();
  // The master hears of the deletion once more, which it has not lost.
  await back.make();
  await world.hq.edit(7, named('Cy'));
  expect(await north.node().sync()).toBeUndefined();
  await back.goBack();
  expect(await north.node().sync()).toBeUndefined();
  await north.back.goBack();
  for (let times = 0; times < 3; times += 1) expect(await north.node().sync()).toBeUndefined();
  expect(Object.keys(await world.hq.contents())).toEqual(['6', '7']);
  expect(await north.node().contents()).toEqual(await world.hq.contents());
});

test('S10 who is enrolled again at a site that has heard of the deletion is not deleted by a master that went back to a backup and hears of it once more', async () => {
  for (const first of ['north', 'south']) {
    const { world, back } = await backedUp(20);
    const [north, south] = [await world.add('north'), await world.add('south')];
    await north.enrol(1, { ...named('Ada'), ...carded(1) });
    for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
    await back.make();
    await world.hq.remove(1);
    for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
    await back.goBack();
    await north.enrol(1, { ...named('Ada'), ...carded(2) });
    const again = await north.contents();
    await world.pass(1000);
    const both = first === 'north' ? [north, south] : [south, north];
    for (const one of [...both, ...both]) expect(await one.sync()).toBeUndefined();
    for (const one of [world.hq, north, south])
      expect(await one.contents(), `${one.name}, ${first} first`).toEqual(again);
  }
});

const ADA = { ...named('Ada'), ...carded(1) };
const FINGER = { 0x40: Uint8Array.of(1, 5, 5, 5) };

/** Ada was deleted behind the backup that the master went back to; the site in the north has heard of it. */
async function adaIsBack(seed: number): Promise<{ world: World; north: SatelliteNode }> {
  const { world, back } = await backedUp(seed);
  const north = await world.add('north');
  await world.hq.edit(1, ADA);
  expect(await north.sync()).toBeUndefined();
  await back.make();
  await world.hq.remove(1);
  expect(await north.sync()).toBeUndefined();
  await back.goBack();
  await world.pass(1000);
  return { world, north };
}

test.each(['hq', 'west', 'a site that they do not reach'])(
  'B16 S10 who is enrolled at %s under the number of somebody deleted behind the backup that a master went back to stays, and has nothing of the other',
  async (where) => {
    const { world, north } = await adaIsBack(31);
    const west = await world.add('west', where.startsWith('a site') ? { groups: [9] } : {});
    await (where === 'hq' ? world.hq : west).enrolNew(1, FINGER);
    const order = where === 'hq' ? [north, west] : [west, north];
    for (const one of [...order, ...order, ...order]) expect(await one.sync()).toBeUndefined();
    const [[, finger] = [0, new Uint8Array()]] = entries(FINGER);
    for (const one of [world.hq, north, west])
      expect(await one.contents(), one.name).toEqual({
        '1': `64:${Buffer.from(finger).toString('base64')}`,
      });
    const whose = (fields: Readonly<Record<number, Uint8Array>>): Promise<object | undefined> =>
      world.hq.store.tombstones.whose(recordOf(1, new Map(entries(fields))));
    expect(await whose(ADA), 'and is remembered').toMatchObject({ how: 'deleted', sure: true });
    expect(await whose(FINGER)).toBeUndefined();
  },
);

test('B16 S10 who is enrolled under another name, and the number of somebody deleted behind the backup that a master went back to, waits in the inbox once they are deleted again', async () => {
  const { world, north } = await adaIsBack(32);
  await world.hq.enrolNew(1, { ...named('Bo'), ...FINGER });
  for (const one of [north, north]) expect(await one.sync()).toBeUndefined();
  expect(await world.hq.contents()).toEqual({});
  expect(await world.hq.store.conflicts({ state: 'open', limit: 10 })).toMatchObject([
    { user: 1, kind: 'two-people', terminal: 'door-1' },
  ]);
});
