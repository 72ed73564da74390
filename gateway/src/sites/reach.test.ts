import { expect, onTestFinished, test } from 'vitest';
import { previewReach } from './reach.ts';
import { grouped, named, World } from './testing/world.ts';

test('B13 what a dry run says of a site is what becomes of it, also of those whom it has of its own', async () => {
  const world = await World.open();
  onTestFinished(() => world.close());
  for (const [user, group] of [1, 1, 1, 2, 2, 3].entries())
    await world.hq.edit(user + 1, { ...named(`User ${user + 1}`), ...grouped(group) });
  const north = await world.add('north', { groups: [1] });
  await north.enrol(9, named('Bo'));
  await north.sync();
  expect(Object.keys(await north.contents())).toEqual(['1', '2', '3', '9']);
  await world.hq.edit(9, grouped(2));

  const site = world.master.list.named('north');
  const { terminals, users } = await previewReach(world.hq.ground, site, [2, 3], {});
  expect(terminals).toMatchObject([{ terminal: 'north', users: 3, added: 3, overwritten: 1, removed: 3 }]);
  expect(users.map(({ user, effect }) => `${user} ${effect}`)).toEqual([
    ...['1 removed', '2 removed', '3 removed'],
    ...['4 added', '5 added', '6 added', '9 overwritten'],
  ]);
  await world.master.list.edit('north', { groups: [2, 3] }, () => Promise.resolve());
  await north.sync();
  expect(await north.contents()).toEqual(
    Object.fromEntries(Object.entries(await world.hq.contents()).filter(([user]) => Number(user) > 3)),
  );
});
