import { recordOf } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { eraseUser } from '../sync/erasure.ts';
import { mergePulled } from '../sync/pulled.ts';
import { siteBackedUp } from './testing/backups.ts';
import { carded, entries, EVERYTHING, named, World } from './testing/world.ts';

const ADA = { ...named('Ada'), ...carded(1) };
const FINGER = 0x40;
const NAME = 1;

test('B17 S6 what was erased of somebody does not come with the backup that a site went back to into who has number and name by now, and what is enrolled for that one does', async () => {
  const world = await World.open(41);
  onTestFinished(() => world.close());
  const north = await siteBackedUp(world, 'north');
  await north.node().enrol(1, ADA);
  await north.back.make();
  expect(await north.node().sync()).toBeUndefined();
  await world.pass(1000);
  await eraseUser(world.hq.site, 1, 'grace');
  await world.hq.edit(1, named('Ada'));
  await north.back.goBack();
  await north.node().enrol(1, { [FINGER]: Uint8Array.of(1, 5, 5, 5) });
  for (let times = 0; times < 3; times += 1) expect(await north.node().sync()).toBeUndefined();
  const held = await world.hq.store.user(1);
  expect([...(held?.record.fields.keys() ?? [])]).toEqual([NAME, FINGER]);
  expect(await north.node().contents()).toEqual(await world.hq.contents());
});

test('B17 S6 what was erased of somebody does not come from a terminal of a site that knows of no erasure', async () => {
  const world = await World.open(42);
  onTestFinished(() => world.close());
  await world.hq.edit(1, ADA);
  await world.pass(1000);
  await eraseUser(world.hq.site, 1, 'grace');
  await world.hq.edit(1, named('Ada'));
  const before = await world.hq.contents();
  const north = await world.add('north');
  expect(await north.sync()).toBeUndefined();
  const there = recordOf(1, new Map(entries(ADA)));
  await mergePulled(north.site, { user: 1, terminal: 'door-1', log: 0 }, there, EVERYTHING);
  for (let times = 0; times < 2; times += 1) expect(await north.sync()).toBeUndefined();
  for (const one of [world.hq, north]) expect(await one.contents(), one.name).toEqual(before);
});
