import { expect, onTestFinished, test } from 'vitest';
import { eraseUser } from '../sync/erasure.ts';
import { report } from './reports.ts';
import type { ReportKind } from './reports.ts';
import { named, World } from './testing/world.ts';
import type { Node } from './testing/world.ts';

async function open(): Promise<World> {
  const world = await World.open();
  onTestFinished(() => world.close());
  return world;
}

/** Everybody who is to be at the door of a gateway is there now, and whoever is not, is not. */
async function settle({ store, site }: Node): Promise<void> {
  const terminal = 'door-1';
  const rows = await store.dueLedger(terminal, site.now, 10_000);
  await store.markSending(terminal, rows);
  const results = rows.map((row) => ({ ...row, state: 'verified' as const, checked: site.now }));
  await store.settleLedger(terminal, results, []);
}

async function lines(world: World, kind: ReportKind, site?: string): Promise<string[]> {
  const sites = new Map(world.master.list.all.map((one) => [one.syncId, one.name]));
  const found: string[] = [];
  for await (const page of report({ store: world.hq.store.sites, own: 'hq', sites, wish: { kind, site } }))
    found.push(...page.map((line) => [line['site'], line['terminal'], line['user'], line['name']].join(' ')));
  return found;
}

test('S5 the master knows which terminal of which site holds whom, as it changes, over a bad link', async () => {
  const world = await open();
  for (let user = 1; user <= 40; user += 1) await world.hq.edit(user, named(`User ${user}`));
  const north = await world.add('north');
  world.bus.weather = { lost: 150, doubled: 150, delayMs: 30 };
  await settle(world.hq);
  await north.sync();
  await settle(north);
  expect(await lines(world, 'holdings', 'north'), 'not told yet').toEqual([]);
  expect(await north.sync()).toBeUndefined();
  expect(await lines(world, 'holdings')).toHaveLength(80);
  expect((await lines(world, 'holdings', 'north')).slice(0, 2)).toEqual([
    'north door-1 1 User 1',
    'north door-1 2 User 2',
  ]);
  world.bus.weather = { lost: 0, doubled: 0, delayMs: 5 };
  await world.hq.remove(1);
  await north.sync();
  expect((await lines(world, 'holdings', 'north'))[0], 'its terminal still has it').toBe('north door-1 1 ');
  await settle(north);
  await north.sync();
  expect(await lines(world, 'holdings', 'north')).toHaveLength(39);
});

test('S5 only what changed of who is held travels', async () => {
  const world = await open();
  for (let user = 1; user <= 200; user += 1) await world.hq.edit(user, named(`User ${user}`));
  const north = await world.add('north');
  await north.sync();
  await settle(north);
  await north.sync();
  world.bus.bytes = 0;
  await north.sync();
  const idle = world.bus.bytes;
  await world.hq.edit(7, named('Another'));
  await north.sync();
  await settle(north);
  world.bus.bytes = 0;
  await north.sync();
  expect(world.bus.bytes - idle).toBeLessThan(1000);
});

test('S5 S10 a satellite that is reset, or goes back to a backup, tells anew who is held', async () => {
  const world = await open();
  for (let user = 1; user <= 20; user += 1) await world.hq.edit(user, named(`User ${user}`));
  const north = await world.add('north');
  await north.sync();
  await settle(north);
  await north.sync();
  expect(await lines(world, 'holdings', 'north')).toHaveLength(20);
  await world.master.list.reset('north');
  world.master.part(2);
  expect(await lines(world, 'holdings', 'north')).toEqual([]);
  expect(await north.sync()).toBeUndefined();
  expect(await lines(world, 'holdings', 'north')).toHaveLength(20);
  // As after a backup: the master has got further than the log here goes.
  const cursor = { run: 'another', seq: 900 };
  const stale = { terminal: 'door-9', user: 3, checked: 5 };
  await world.hq.store.sites.mark([
    { kind: 'holdings', site: 2, fresh: false, rows: [stale] },
    { kind: 'cursor', peer: 2, stream: 'holdings', cursor },
  ]);
  expect(await north.sync()).toBeUndefined();
  expect(await lines(world, 'holdings', 'north')).toHaveLength(20);
});

test('B17 who is erased is in no report any more', async () => {
  const world = await open();
  await world.hq.edit(3, named('Cy'));
  const north = await world.add('north');
  await north.enrol(3, named('Cy'));
  await north.sync();
  await settle(north);
  await north.sync();
  expect(await lines(world, 'holdings', 'north')).toEqual(['north door-1 3 Cy']);
  await eraseUser(world.hq.site, 3, 'ada');
  expect(await lines(world, 'holdings')).toEqual([]);
  await north.sync();
  expect(await lines(world, 'holdings')).toEqual([]);
});
