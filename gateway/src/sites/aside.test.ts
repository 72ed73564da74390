import { recordOf, writeRecord } from '@whorl/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { AsideRow } from '../store/sites.ts';
import { takeDown } from './downward.ts';
import { writeMessage } from './message.ts';
import { Progress } from './progress.ts';
import { takeOffers } from './taking.ts';
import { serveWalk } from './serving.ts';
import { carded, entries, grouped, named, World } from './testing/world.ts';
import type { SatelliteNode } from './testing/world.ts';

async function open(): Promise<{ world: World; north: SatelliteNode }> {
  const world = await World.open();
  onTestFinished(() => world.close());
  return { world, north: await world.add('north', { paused: true }) };
}

test('S9 a row that has to wait is set aside with its reason, does not hold up the others, and is integrated when what it waits for has gone up', async () => {
  const { world, north } = await open();
  for (const user of [1, 2, 3]) await world.hq.edit(user, named(`User ${user}`));
  await north.enrol(2, carded(7));
  // What comes down when somebody is enrolled at the site in the middle of an exchange.
  const site = world.master.list.named('north');
  const asked = { ask: 'walk', before: 100, stored: 100, bytes: 9999 } as const;
  const { answer, blobs } = await serveWalk(world.hq.ground, site, asked, []);
  expect(answer.rows.map(({ user }) => user)).toEqual([3, 2, 1]);
  await takeDown(north.ground, { rows: answer.rows, blobs, also: [], guard: undefined });
  expect(Object.keys(await north.contents())).toEqual(['1', '2', '3']);
  const [aside, ...rest] = await north.store.sites.aside({ by: 'since', limit: 10 });
  expect(rest).toEqual([]);
  expect(aside).toMatchObject({ user: 2, code: 'SITES_WAIT', attempts: 1 });
  expect(aside?.reason).toContain('has not been offered yet');
  await takeDown(north.ground, { rows: answer.rows, blobs, also: [], guard: undefined });
  expect(await north.store.sites.aside({ by: 'since', limit: 10 }), 'the same again').toMatchObject([
    { user: 2, attempts: 2 },
  ]);
  expect(await north.sync()).toBeUndefined();
  expect(await north.store.sites.aside({ by: 'since', limit: 10 })).toEqual([]);
  expect(await north.contents()).toEqual(await world.hq.contents());
  expect((await world.hq.store.user(2))?.record.fields.size).toBe(2);
});

test('S9 of what a satellite offers a damaged row is set aside at the master with its reason and tried again with each exchange, until a sound one comes', async () => {
  const { world, north } = await open();
  expect(await north.sync()).toBeUndefined();
  const site = world.master.list.named('north');
  const by = { origin: 'terminal', terminal: 'north/door-1', time: 1 } as const;
  const cursor = (await world.hq.store.sites.cursor(2, 'users')) ?? { run: '', seq: 0 };
  const damaged = {
    ask: 'offers',
    rows: [{ user: 8, base: 0, born: '', parts: [{ by, blob: 0 }] }],
    cursor,
  } as const;
  const { results } = await takeOffers(world.hq.ground, site, damaged, [Buffer.from('no record')]);
  expect(results).toMatchObject([{ user: 8, outcome: 'failed' }]);
  await north.enrol(9, named('Ida'));
  expect(await north.sync()).toBeUndefined();
  expect(Object.keys(await world.hq.contents()), 'the others go on').toEqual(['9']);
  const [aside] = await world.hq.store.sites.aside({ by: 'since', limit: 10 });
  expect(aside).toMatchObject({ peer: 2, user: 8, attempts: 2 });
  expect(aside?.reason).not.toBe('');
  await north.enrol(8, named('Eve'));
  expect(await north.sync()).toBeUndefined();
  expect(await world.hq.store.sites.aside({ by: 'since', limit: 10 })).toEqual([]);
  expect(Object.keys(await world.hq.contents())).toEqual(['8', '9']);
});

test('S9 however many of a site stay set aside at the master, each is tried again, and so are those of others', async () => {
  const { world, north } = await open();
  const south = await world.add('south', { paused: true });
  for (const one of [north, south]) expect(await one.sync()).toBeUndefined();
  const aside = async (peer: number, user: number, part: Uint8Array): Promise<void> => {
    const by = { origin: 'terminal', terminal: 'door-1', time: 1 } as const;
    const rows = [{ user, base: 0, born: '', parts: [{ by, blob: 0 }] }];
    const body = { ask: 'offers', rows, cursor: { run: '', seq: 0 } };
    const bytes = writeMessage({ body, blobs: [part] });
    const row = { peer, user, bytes, code: 'MESSAGE_CUT', reason: 'cut off', since: 1 };
    await world.hq.store.sites.mark([{ kind: 'aside', row }]);
  };
  for (let user = 1; user <= 120; user += 1) await aside(north.syncId, user, Buffer.from('no record'));
  await aside(north.syncId, 500, writeRecord(recordOf(500, new Map(entries(named('Ada'))))));
  await aside(south.syncId, 501, writeRecord(recordOf(501, new Map(entries(named('Bo'))))));
  expect(await south.sync()).toBeUndefined();
  expect(Object.keys(await world.hq.contents())).toEqual(['501']);
  for (let times = 0; times < 2; times += 1) expect(await north.sync()).toBeUndefined();
  expect(Object.keys(await world.hq.contents())).toEqual(['500', '501']);
  expect(await world.hq.store.sites.countAside()).toBe(120);
});

test('S6 S9 whom the guard keeps at a satellite is not looked at with each exchange, and who waits behind them goes on', async () => {
  const { world, north } = await open();
  for (let user = 1; user <= 300; user += 1)
    await world.hq.edit(user, { ...named(`User ${user}`), ...grouped(1) });
  await world.master.list.edit('north', { groups: [1] }, () => Promise.resolve());
  expect(await north.sync()).toBeUndefined();
  await world.master.list.edit('north', { groups: [2] }, () => Promise.resolve());
  expect(await north.sync()).toBeUndefined();
  const kept = await north.store.sites.countAside();
  expect(kept).toBeGreaterThan(250);
  const bytes = writeMessage({ body: { is: 'gone', user: 999, why: 'scope' }, blobs: [] });
  const row = { peer: 1, user: 999, bytes, code: 'SITES_WAIT', reason: 'not offered yet', since: 2 };
  await north.store.sites.mark([{ kind: 'aside', row }]);
  const read = vi.spyOn(north.store.sites, 'aside');
  expect(await north.sync()).toBeUndefined();
  const pages = await Promise.all(
    read.mock.results.map(({ value }) => value as Promise<readonly AsideRow[]>),
  );
  expect(pages.flat().map(({ user }) => user)).toEqual([999]);
  expect(await north.store.sites.countAside()).toBe(kept);
  expect(await north.sync({ release: true })).toBeUndefined();
  expect(await north.contents()).toEqual({});
  expect(await north.store.sites.countAside()).toBe(0);
});

test('S11 what an exchange does is told as it goes: step, rows that are left, and how long that takes; then when it ended and how long it took', async () => {
  const { world, north } = await open();
  for (let user = 1; user <= 500; user += 1) await world.hq.edit(user, named(`A rather long name ${user}`));
  world.bus.weather = { lost: 0, doubled: 0, delayMs: 400 };
  const exchange = north.satellite.syncNow();
  const seen: { step: string; left: number; leftMs: number | undefined }[] = [];
  while (north.satellite.state.success === undefined) {
    await world.pass(100);
    const { step, left, leftMs } = north.satellite.state;
    if (step !== undefined && left !== undefined) seen.push({ step, left, leftMs });
  }
  expect(await world.during(exchange)).toBeUndefined();
  const walk = seen.filter(({ step }) => step === 'walk').map(({ left }) => left);
  expect(walk.length).toBeGreaterThan(1);
  expect(walk).toEqual([...walk].sort((a, b) => b - a));
  expect(seen.some(({ leftMs }) => leftMs !== undefined)).toBe(true);
  const { state } = north.satellite;
  expect(state.step).toBeUndefined();
  expect(state.tookMs).toBeGreaterThan(1000);
  const progress = new Progress();
  expect(progress.at('walk', 1000, 0)).toEqual({ step: 'walk', left: 1000 });
  expect(progress.at('walk', 750, 5000)).toEqual({ step: 'walk', left: 750, leftMs: 15_000 });
  expect(progress.at('check', 10, 6000)).toEqual({ step: 'check', left: 10 });
});
