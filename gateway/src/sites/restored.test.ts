import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../store/open.ts';
import { setbackOf } from './setback.ts';
import { backedUp, siteBackedUp } from './testing/backups.ts';
import { carded, named, World } from './testing/world.ts';

test('S10 a master that went back to a backup gets again what its satellites still have', async () => {
  const world = await World.open(3);
  onTestFinished(() => world.close());
  const [live, backup] = ['live', 'backup'].map(() => mkdtempSync(join(tmpdir(), 'whorl-restored-')));
  onTestFinished(() => {
    for (const path of [live, backup]) rmSync(path ?? '', { recursive: true, force: true });
  });
  const random = (length: number): Uint8Array => world.random.bytes(length);
  const opened = (data = ''): ReturnType<typeof openStore> => openStore({ data }, random);
  let store = opened(live);
  await world.replaceMaster(store);
  const north = await world.add('north');
  await world.hq.edit(1, named('Ada'));
  expect(await north.sync()).toBeUndefined();
  const made = (await store.events({ newest: true, limit: 1 }))[0]?.time;
  await store.close();
  cpSync(live ?? '', backup ?? '', { recursive: true });
  store = opened(live);
  await world.replaceMaster(store);
  await world.hq.edit(2, named('Bo'));
  await world.hq.edit(1, { ...named('Ada'), ...carded(4) });
  await north.enrol(3, named('Cy'));
  expect(await north.sync()).toBeUndefined();
  const before = await world.hq.contents();
  expect(Object.keys(before)).toEqual(['1', '2', '3']);
  await store.close();
  store = opened(backup);
  await world.replaceMaster(store);
  expect(Object.keys(await world.hq.contents())).toEqual(['1']);
  await north.sync();
  await north.sync();
  await north.sync();
  expect(await world.hq.contents()).toEqual(before);
  expect(await north.contents()).toEqual(before);
  expect((await north.store.events({ type: 'site.lost', limit: 10 })).length).toBeGreaterThan(0);
  const told = await store.events({ type: 'site.restored', limit: 10 });
  expect(told, 'once, with when the backup was made').toMatchObject([
    { data: { site: 'north', until: made } },
  ]);
  expect(await setbackOf(world.hq.ground)).toMatchObject({ until: made, told: [2] });
  await world.during(north.satellite.stop());
  await store.close();
});

test('S10 a name that was given behind the backup that a master went back to is asked of an operator', async () => {
  const { world, back } = await backedUp(13);
  const [north, south] = [await world.add('north'), await world.add('south')];
  await world.hq.edit(1, { ...named('Ada'), ...carded(1) });
  for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
  const before = await world.hq.contents();
  await back.make();
  await world.hq.edit(1, named('Ada Byron'));
  for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
  await back.goBack();
  for (const one of [north, south, north, south]) expect(await one.sync()).toBeUndefined();
  const held = await world.hq.contents();
  expect(held['1']).toBe(before['1']);
  for (const one of [north, south]) expect(await one.contents()).toEqual(held);
  const [conflict, ...more] = await world.hq.store.conflicts({ state: 'open', limit: 10 });
  expect(conflict).toMatchObject({ user: 1, kind: 'name', terminal: 'north/-' });
  expect(more).toEqual([]);
  const [asked] = await world.hq.store.conflictsOf(1);
  expect(Object.fromEntries(asked?.theirs.record.fields ?? [])).toEqual(named('Ada Byron'));
});

test('S10 what waited in the inbox of a master is handed to it again once it went back to a backup', async () => {
  const { world, back } = await backedUp(14);
  const [north, south] = [await world.add('north'), await world.add('south')];
  await world.hq.edit(1, { ...named('Ada'), ...carded(1) });
  for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
  await back.make();
  // One opened at the satellite, one at the master, which heard of the other site first.
  await north.enrol(1, carded(2));
  await south.enrol(1, { [SECOND_CARD]: Uint8Array.of(1, 7) });
  await north.enrol(1, { [SECOND_CARD]: Uint8Array.of(1, 8) });
  for (const one of [south, north, south, north]) expect(await one.sync()).toBeUndefined();
  const known = ['16 1,1,0,0', '16 1,2,0,0', '17 1,7', '17 1,8'];
  expect(await cardsKnown(world)).toEqual(known);
  await back.goBack();
  expect(await cardsKnown(world)).toEqual(['16 1,1,0,0']);
  for (const one of [south, north, south, north]) expect(await one.sync()).toBeUndefined();
  // Which of two came first nobody knows any more; an operator is asked about the other.
  expect(await cardsKnown(world)).toEqual(known);
  for (const one of [north, south]) expect(await one.contents()).toEqual(await world.hq.contents());
});

test('S10 who was made behind the backup that a master went back to is the same person for every site', async () => {
  const { world, back } = await backedUp(15);
  const [north, south] = [await world.add('north'), await world.add('south')];
  await back.make();
  await world.hq.edit(1, { ...named('Ada'), ...carded(1) });
  for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
  await back.goBack();
  await north.enrol(1, { [SECOND_CARD]: Uint8Array.of(1, 7) });
  for (const one of [south, north, south]) expect(await one.sync()).toBeUndefined();
  const held = await world.hq.store.user(1);
  expect([...(held?.record.fields.keys() ?? [])]).toEqual([1, FIRST_CARD, SECOND_CARD]);
  for (const one of [north, south]) expect(await one.contents()).toEqual(await world.hq.contents());
});

test('S10 a version that a master gives anew once it went back to a backup is not taken for the one that it lost', async () => {
  const { world, back } = await backedUp(16);
  const [north, south] = [await world.add('north'), await world.add('south')];
  await world.hq.edit(1, carded(1));
  for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
  await back.make();
  await world.hq.edit(1, named('Ada'));
  for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
  await back.goBack();
  await world.hq.edit(1, { [SECOND_CARD]: Uint8Array.of(1, 7) });
  for (const one of [north, south, north]) expect(await one.sync()).toBeUndefined();
  const held = await world.hq.store.user(1);
  expect([...(held?.record.fields.keys() ?? [])]).toEqual([1, FIRST_CARD, SECOND_CARD]);
  expect(await south.sync()).toBeUndefined();
  for (const one of [north, south]) expect(await one.contents()).toEqual(await world.hq.contents());
});

test('B16 S10 who is given a number anew by a master that went back to a backup, and lost no more than what a site had told it, comes to that site', async () => {
  const { world, back } = await backedUp(33);
  const [north, south] = [await world.add('north'), await world.add('south')];
  await world.hq.edit(1, named('Ada'));
  for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
  await north.enrol(2, named('Cy'));
  expect(await north.sync()).toBeUndefined();
  await south.enrol(1, carded(1));
  expect(await south.sync()).toBeUndefined();
  await back.make();
  await north.enrol(1, carded(1));
  expect(await north.sync()).toBeUndefined();
  await back.goBack();
  await world.hq.remove(1);
  await world.hq.edit(1, named('Bo'));
  const bo = await world.hq.contents();
  for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
  expect(await world.hq.contents()).toEqual(bo);
  for (const one of [north, south]) expect(await one.contents(), one.name).toEqual(bo);
});

test('S10 a satellite that went back to a backup gets what it had since, and drops who was deleted since', async () => {
  const world = await World.open(6);
  onTestFinished(() => world.close());
  for (let user = 1; user <= 4; user += 1) await world.hq.edit(user, named(`User ${user}`));
  const { node, back } = await siteBackedUp(world, 'north');
  await node().sync();
  await back.make();
  await node().enrol(9, { ...named('Cy'), ...carded(9) });
  await world.hq.remove(1);
  await world.hq.edit(2, carded(2));
  expect(await node().sync()).toBeUndefined();
  await back.goBack();
  await world.hq.remove(3);
  expect(await node().sync()).toBeUndefined();
  expect(await node().sync()).toBeUndefined();
  expect(Object.keys(await node().contents())).toEqual(['2', '4', '9']);
  expect(await node().contents()).toEqual(await world.hq.contents());
  await world.hq.remove(9);
  expect(await node().sync()).toBeUndefined();
  expect(Object.keys(await node().contents())).toEqual(['2', '4']);
});

test('S10 who is told apart at a site stays there when the master that was to decide went back to a backup', async () => {
  const { world, back } = await backedUp(18);
  const north = await world.add('north', { groups: [2] });
  await back.make();
  await world.hq.edit(1, { ...named('Ada'), ...carded(1) });
  await north.enrol(1, { ...named('Bo'), ...carded(2) });
  expect(await north.sync()).toBeUndefined();
  const bo = await north.contents();
  await back.goBack();
  await world.hq.edit(1, { ...named('Ada'), ...carded(1) });
  for (let times = 0; times < 3; times += 1) expect(await north.sync()).toBeUndefined();
  expect(await north.contents()).toEqual(bo);
  expect(await world.hq.store.conflicts({ state: 'open', limit: 10 })).toMatchObject([
    { user: 1, kind: 'two-people', terminal: 'north/door-1' },
  ]);
});

test('B16 S10 who was deleted, and comes with the backup that a site went back to, is not merged into who has the number by now', async () => {
  const { world, back } = await backedUp(24);
  const [north, south] = [await siteBackedUp(world, 'north'), await siteBackedUp(world, 'south')];
  await back.make();
  // Made before the site has offered them; and known to the other by a birth that the master lost.
  await north.node().enrol(1, carded(1));
  await north.back.make();
  for (const one of [north, south]) expect(await one.node().sync()).toBeUndefined();
  await south.back.make();
  await back.goBack();
  for (const one of [north, south]) expect(await one.node().sync()).toBeUndefined();
  await world.hq.remove(1);
  await world.hq.edit(1, named('Bo'));
  const bo = await world.hq.contents();
  for (const one of [north, south]) {
    await one.back.goBack();
    for (let times = 0; times < 2; times += 1) expect(await one.node().sync()).toBeUndefined();
    expect(await world.hq.contents(), one.node().name).toEqual(bo);
    expect(await one.node().contents()).toEqual(bo);
    expect(await one.node().store.conflictsOf(1), 'nor offered again').toEqual([]);
  }
});

test('B16 S6 who has the number of somebody who was deleted gets nothing that a site enrolled for that one', async () => {
  const world = await World.open(7);
  onTestFinished(() => world.close());
  await world.hq.edit(5, { ...named('Ada'), ...carded(1) });
  const north = await world.add('north');
  await north.sync();
  await world.hq.remove(5);
  await world.hq.edit(5, named('Bo'));
  await north.enrol(5, { [0x12]: Uint8Array.of(1, 7, 7, 7) });
  expect(await north.sync()).toBeUndefined();
  expect(await north.sync()).toBeUndefined();
  const held = await world.hq.store.user(5);
  expect([...(held?.record.fields.keys() ?? [])]).toEqual([1]);
  expect(await north.contents()).toEqual(await world.hq.contents());
});

test('S10 who was deleted while a site was away and its place reset goes there, too', async () => {
  const world = await World.open(8);
  onTestFinished(() => world.close());
  for (let user = 1; user <= 3; user += 1) await world.hq.edit(user, named(`User ${user}`));
  const north = await world.add('north');
  await north.sync();
  await world.hq.remove(2);
  await world.master.list.reset('north');
  world.master.part(2);
  for (let times = 0; times < 2; times += 1) expect(await north.sync()).toBeUndefined();
  await world.hq.remove(3);
  expect(await north.sync()).toBeUndefined();
  expect(Object.keys(await north.contents())).toEqual(['1']);
});

test('S6 a conflict that a site’s terminal makes lands at the master, also of somebody who has long been offered', async () => {
  const world = await World.open(9);
  onTestFinished(() => world.close());
  const north = await world.add('north');
  await north.enrol(4, { ...named('Di'), ...carded(1) });
  await north.sync();
  await north.enrol(4, { ...carded(2) });
  expect(await north.sync()).toBeUndefined();
  const [conflict] = await world.hq.store.conflicts({ state: 'open', limit: 10 });
  expect(conflict).toMatchObject({ user: 4, kind: 'card', terminal: 'north/door-1' });
});

test('S6 what a master has taken, and could not say so before the site died, is settled there none the less', async () => {
  const world = await World.open(10);
  onTestFinished(() => world.close());
  await world.hq.edit(1, named('Ada'));
  const north = await world.add('north');
  await north.sync();
  await world.hq.edit(1, { ...named('Ada'), ...carded(1) });
  await north.enrol(1, carded(2));
  // The master hears all and answers nothing from the moment that it was offered something.
  const silent = { send: () => Promise.resolve() };
  const saving = world.hq.site.hub.subscribe(({ type }) => {
    if (type === 'conflict.opened') world.master.start(silent);
  });
  expect(await north.sync()).toBe('SITES_LINK');
  saving();
  await world.replaceMaster(world.hq.store);
  expect(await north.sync()).toBeUndefined();
  expect(await north.contents()).toEqual(await world.hq.contents());
});

const FIRST_CARD = 0x10;
const SECOND_CARD = 0x11;

/** Cards that the master holds for user 1, or asks an operator about. */
async function cardsKnown({ hq }: World): Promise<readonly string[]> {
  const held = await hq.store.user(1);
  const open = (await hq.store.conflictsOf(1)).filter(({ state }) => state === 'open');
  const fields = [held?.record, ...open.map(({ theirs }) => theirs.record)].flatMap((record) => [
    ...(record?.fields ?? []),
  ]);
  return fields
    .flatMap(([field, value]) => (field >= FIRST_CARD ? [`${field} ${String(value)}`] : []))
    .sort();
}
