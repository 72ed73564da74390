import type * as Admissions from '@whorl/gateway/sites/admission';
import { Attendance } from '@whorl/gateway/sites/attendance';
import type * as Departures from '@whorl/gateway/sites/departure';
import { SITES_PROTOCOL } from '@whorl/gateway/sites/login-words';
import type * as Merging from '@whorl/gateway/sites/merging';
import { carded, entries, grouped, named, SatelliteNode, World } from '@whorl/gateway/sites/testing/world';
import { recordOf, writeRecord } from '@whorl/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Liar } from '../attacks/liar.ts';

/** What stands against a site that lies, or somebody in its place, and can be taken away to show that it is this that does. */
type Defence = 'proof' | 'policies' | 'spent';
const off = vi.hoisted(() => new Set<string>());

vi.mock('@whorl/gateway/sites/departure', async (original) => {
  const real = await original<typeof Departures>();
  const isProven: typeof real.isProven = (...given) => off.has('proof') || real.isProven(...given);
  return { ...real, isProven };
});

vi.mock('@whorl/gateway/sites/merging', async (original) => {
  const real = await original<typeof Merging>();
  const mergeOffer: typeof real.mergeOffer = (offering) => {
    const merge = { name: 'terminal-wins', groups: 'terminal-wins' } as const;
    const settings = { ...offering.settings, merge, hold: false };
    return real.mergeOffer(off.has('policies') ? { ...offering, settings } : offering);
  };
  return { ...real, mergeOffer };
});

vi.mock('@whorl/gateway/sites/admission', async (original) => {
  const real = await original<typeof Admissions>();
  const forgetful = <Binding extends object>(binding: Binding): Binding =>
    off.has('spent') ? { ...binding, spent: [] } : binding;
  const offering: typeof real.offering = (...given) => forgetful(real.offering(...given));
  const confirmed: typeof real.confirmed = (binding) => forgetful(real.confirmed(binding));
  return { ...real, offering, confirmed };
});

async function open(): Promise<World> {
  off.clear();
  onTestFinished(() => off.clear());
  const world = await World.open(11);
  onTestFinished(() => world.close());
  return world;
}

test('S3 who has a site’s password cannot take its place once it has been there, and whoever uses its token is noticed', async () => {
  const world = await open();
  const north = await world.add('north');
  await north.sync();
  await expect(Liar.logIn(world, { name: 'north', syncId: 2 })).rejects.toMatchObject({
    code: 'SITES_CLASH',
  });
  expect(world.master.state(2).trouble?.code).toBe('SITES_CLASH');
  expect(await north.sync()).toBeUndefined();
  const thief = await copyOf(world, north);
  expect(await thief.sync(), 'while the machine is there').toBe('SITES_CLONE');
  expect(await north.sync()).toBeUndefined();
  const weak = vi.spyOn(Attendance.prototype, 'answers').mockResolvedValue(false);
  thief.identity = { ...north.identity };
  expect(await thief.sync(), 'his first exchange where nobody asks who is there').toBeUndefined();
  weak.mockRestore();
  expect(await north.sync()).toBe('SITES_CLONE');
  expect(world.master.state(2).trouble?.code).toBe('SITES_CLONE');
  await world.master.list.reset('north');
  world.master.part(2);
  await expect(
    Liar.logIn(world, { name: 'north', syncId: 2 }),
    'a place that is nobody’s',
  ).resolves.toBeDefined();
  await world.during(thief.satellite.stop());
});

/** Somebody with all that a site's machine had. */
async function copyOf(world: World, north: SatelliteNode): Promise<SatelliteNode> {
  const thief = new SatelliteNode(world, {
    ...{ name: 'north', syncId: 2, store: world.store(), identity: { ...north.identity } },
  });
  await thief.begin();
  return thief;
}

test('S3 who has a site’s password takes its place where the machine’s identity is known to him, and is not noticed where used-up tokens are forgotten', async () => {
  const world = await open();
  off.add('spent');
  vi.spyOn(Attendance.prototype, 'answers').mockResolvedValue(false);
  onTestFinished(() => void vi.restoreAllMocks());
  const north = await world.add('north');
  await north.sync();
  const { hardware } = north.identity;
  const liar = await Liar.logIn(world, { name: 'north', syncId: 2 }, hardware);
  liar.leave();
  const thief = await copyOf(world, north);
  for (let round = 0; round < 3; round += 1)
    expect([await thief.sync(), await north.sync()]).not.toContain('SITES_CLONE');
  await world.during(thief.satellite.stop());
});

/** What a site says of a user. */
function offer(
  user: number,
  fields: Readonly<Record<number, Uint8Array>>,
  more: object = {},
): [unknown, Uint8Array[]] {
  const by = { origin: 'terminal', terminal: 'north/door-1', time: 0 };
  const row = { user, born: '', base: 0, parts: [{ by, blob: 0 }], ...more };
  const request = { ask: 'offers', rows: [row], cursor: { run: 'x', seq: 1 } };
  return [request, [writeRecord(recordOf(user, new Map(entries(fields))))]];
}

async function lying(groups?: readonly number[]): Promise<{ world: World; liar: Liar }> {
  const world = await open();
  await world.hq.edit(1, { ...named('Ada'), ...grouped(1) });
  await world.hq.edit(2, { ...named('Bo'), ...grouped(2) });
  await world.master.list.add({
    ...{ syncId: 2, name: 'north', url: '', user: 'north', password: 'correct horse battery', groups },
  });
  const liar = await Liar.logIn(world, { name: 'north', syncId: 2 });
  onTestFinished(() => liar.leave());
  const summary = { users: 0, conflicts: 0, aside: 0, terminals: [] };
  await liar.ask({
    ask: 'open',
    protocol: SITES_PROTOCOL,
    version: '1',
    name: 'north',
    time: 0,
    down: null,
    summary,
  });
  return { world, liar };
}

test('S5 S6 a satellite that lies gives no card to somebody who is not at its site, nor access beyond it', async () => {
  for (const [groups, harmed] of [
    [[1], false],
    [undefined, true],
  ] as const) {
    const { world, liar } = await lying(groups);
    await liar.ask(...offer(2, { ...named('Bo'), ...carded(666) }));
    await liar.ask(...offer(9, { ...named('Mallory'), ...grouped(1, 2) }));
    const [bo, mallory] = [await world.hq.store.user(2), await world.hq.store.user(9)];
    expect(bo?.record.fields.has(0x10), `groups ${String(groups)}`).toBe(harmed);
    expect(mallory?.record.fields.has(5)).toBe(harmed);
    const conflicts = await world.hq.store.conflicts({ state: 'open', limit: 10 });
    expect(conflicts.map(({ user, terminal }) => [user, terminal])).toEqual(
      harmed
        ? []
        : expect.arrayContaining([
            [2, 'north/door-1'],
            [9, 'north/door-1'],
          ]),
    );
  }
});

/** He says that he has changed somebody, and was told to drop others, with whatever proof he can think of. */
async function forges(liar: Liar): Promise<void> {
  await liar.ask(...offer(1, { ...named('Mallory'), ...grouped(7) }, { base: 1 }));
  await liar.ask({
    ask: 'gone',
    rows: [1, 2].map((user) => ({ user, born: 'x', time: 2e12, erased: user === 2 })),
  });
  const page = await liar.ask({ ask: 'walk', before: 1e9, stored: 1e9, bytes: 1e9 });
  const borns = JSON.stringify(page).matchAll(/"user":(\d+),"version":\d+,"born":"([^"]+)"/g);
  for (const [, user, born] of borns)
    for (const erased of [true, false])
      await liar.ask({
        ask: 'gone',
        rows: [{ user: Number(user), born: `${born} ${'0'.repeat(32)}`, time: 2e12, erased }],
      });
}

test('S6 a satellite that lies overwrites nothing that the master has, and deletes and erases nobody', async () => {
  const { world, liar } = await lying();
  const before = await world.hq.contents();
  await forges(liar);
  for (const ask of ['delete', 'erase', 'settings', '__proto__'])
    expect(await liar.ask({ ask, user: 1 })).toMatchObject({ failed: { code: 'SITES_MESSAGE' } });
  expect(await world.hq.contents()).toEqual(before);
});

test.each<[Defence, (before: object, after: object) => void]>([
  [
    'policies',
    (before, after) => expect(after).not.toMatchObject({ 1: Reflect.get(before, '1') as unknown }),
  ],
  ['proof', (_, after) => expect(Object.keys(after)).not.toContain('2')],
])('S6 a satellite that lies does harm without %s', async (defence, harm) => {
  const { world, liar } = await lying();
  const before = await world.hq.contents();
  off.add(defence);
  await forges(liar);
  const after = await world.hq.contents();
  expect(after).not.toEqual(before);
  harm(before, after);
});

test('S9 whatever a satellite sends is answered with a code, stops nothing, and the next sound offer is taken', async () => {
  const { world, liar } = await lying();
  const cursor = { run: 'x', seq: Number.MAX_SAFE_INTEGER };
  const rows = Array.from({ length: 1000 }, (_, index) => ({
    ...{ user: index + 100, born: '', base: 0 },
    parts: [{ by: { origin: 'terminal', time: 0 }, blob: index }],
  }));
  const bad: readonly [unknown, Uint8Array[]][] = [
    [{ ask: 'offers', rows: [...rows, ...rows], cursor }, []],
    [{ ask: 'offers', rows: 'x', cursor }, []],
    [{ ask: 'users', after: { run: 'x', seq: -1 }, bytes: 1 }, []],
    [{ ask: 'check', users: [0] }, []],
    [{ ask: 'events', rows: [{ id: 0 }], cursor }, []],
    [[], []],
    ['x', []],
  ];
  for (const [request, blobs] of bad)
    expect(await liar.ask(request, blobs)).toMatchObject({ failed: { code: 'SITES_MESSAGE' } });
  const garbage = rows.map((_, index) => Uint8Array.from([index, 1, 2, 3]));
  expect(await liar.ask({ ask: 'offers', rows, cursor }, garbage)).toMatchObject({
    answer: { results: expect.arrayContaining([expect.objectContaining({ outcome: 'failed' })]) as unknown },
  });
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(3),
    Buffer.alloc(40, 255),
    Buffer.from([0, 2, 0, 0, 0, 123, 125]),
  ])
    liar.raw(bytes);
  expect(await liar.ask({ ask: 'users', after: cursor, bytes: 1e9 }), 'a cursor ahead').toHaveProperty(
    'answer',
  );
  expect(await liar.ask(...offer(50, named('Ned')))).toMatchObject({
    answer: { results: [{ outcome: 'taken' }] },
  });
  expect(await world.hq.contents()).toHaveProperty('50');
  const stored: Uint8Array[] = [];
  world.bus.man = ({ up, bytes }) => {
    if (up) stored.push(bytes);
    return up ? [] : undefined;
  };
  const asked = Array.from({ length: 200 }, () =>
    liar.say({ ask: 'walk', before: 1e9, stored: 1e9, bytes: 1e9 }),
  );
  await world.pass(100);
  for (const bytes of stored) world.master.message(2, bytes);
  await world.pass(1_000);
  expect(asked.filter((id) => liar.answers.has(id)).length, 'one at a time').toBeLessThan(20);
});
