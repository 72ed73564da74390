import { FIELDS, recordOf } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { changeUser } from '../sync/users.ts';
import { carded, grouped, named, World } from './testing/world.ts';
import type { Node } from './testing/world.ts';

async function open(seed: number): Promise<World> {
  const world = await World.open(seed);
  onTestFinished(() => world.close());
  return world;
}

/** Takes a user's groups away, at the gateway. */
function ungroup({ site }: Node, user: number): Promise<number> {
  return changeUser(site, user, (held) => {
    const fields = new Map(held?.record.fields);
    fields.delete(FIELDS.groups.number);
    return recordOf(user, fields);
  });
}

test('S5 S6 who was enrolled at a site and has no access group yet stays there, is kept up to date, and leaves when somebody decides so', async () => {
  const world = await open(1);
  const north = await world.add('north', { groups: [1] });
  const south = await world.add('south', { groups: [2] });
  await north.enrol(9, carded(9));
  const exchange = async (): Promise<void> => {
    for (const site of [north, south]) expect(await site.sync()).toBeUndefined();
  };
  await exchange();
  await world.hq.edit(9, named('Bo'));
  await exchange();
  expect(await north.contents()).toEqual(await world.hq.contents());
  expect(await south.contents()).toEqual({});
  // Somebody decides: elsewhere only.
  await world.hq.edit(9, grouped(2));
  await exchange();
  expect(await north.contents()).toEqual({});
  expect(await south.contents()).toEqual(await world.hq.contents());
  expect(await north.store.events({ type: 'user.removed', user: 9, limit: 9 })).toHaveLength(1);
  // Whose groups are taken away has none yet no more.
  await ungroup(world.hq, 9);
  await exchange();
  for (const site of [north, south]) expect(await site.contents()).toEqual({});
  expect(Object.keys(await world.hq.contents())).toEqual(['9']);
});

test('S5 S6 who is enrolled at a site under the number of somebody whom it must not have goes there, and the inbox has it', async () => {
  const world = await open(2);
  const north = await world.add('north', { groups: [1] });
  await world.hq.edit(9, { ...named('Ann'), ...grouped(2) });
  await north.enrol(9, carded(9));
  expect(await north.sync()).toBeUndefined();
  expect(await north.contents()).toEqual({});
  const conflicts = await world.hq.store.conflicts({ limit: 10 });
  expect(conflicts.map(({ user, kind, terminal }) => [user, kind, terminal])).toEqual([
    [9, 'card', 'north/door-1'],
  ]);
  expect(Object.keys(await world.hq.contents())).toEqual(['9']);
  // An operator lets them in there: what was enrolled is taken, and comes back.
  await world.hq.edit(9, { ...grouped(1, 2), ...carded(9) });
  expect(await north.sync()).toBeUndefined();
  expect(await north.contents()).toEqual(await world.hq.contents());
});

test('S6 so many who were enrolled at a site are not dropped there that somebody did not confirm it', async () => {
  const world = await open(3);
  const north = await world.add('north', { groups: [1] });
  for (let user = 1; user <= 40; user += 1)
    await north.enrol(user, { ...named(`User ${user}`), ...carded(user) });
  expect(await north.sync()).toBeUndefined();
  for (let user = 1; user <= 40; user += 1) await world.hq.edit(user, grouped(2));
  expect(await north.sync()).toBeUndefined();
  expect(Object.keys(await north.contents()).length).toBeGreaterThan(20);
  expect(await north.store.events({ type: 'site.held', limit: 9 })).toHaveLength(1);
  expect(await north.sync({ release: true })).toBeUndefined();
  expect(await north.contents()).toEqual({});
});

test('S5 S10 S11 who has no access group yet comes back to the site that enrolled them when it lost its disk', async () => {
  const world = await open(4);
  const north = await world.add('north', { groups: [1] });
  await north.enrol(9, { ...named('Bo'), ...carded(9) });
  await world.hq.edit(8, named('Nobody'));
  expect(await north.sync()).toBeUndefined();
  await world.during(north.satellite.stop());
  await world.master.list.reset('north');
  world.master.part(2);
  const fresh = await world.replace(north);
  expect(await fresh.sync()).toBeUndefined();
  expect(Object.keys(await fresh.contents())).toEqual(['9']);
  await world.during(fresh.satellite.stop());
});
