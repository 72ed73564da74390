import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../store/open.ts';
import { cursorAt, resumeAt, runEnd } from './history.ts';
import { nextExchange, quietFor } from './schedule.ts';
import { carded, named, World } from './testing/world.ts';

test('S10 a cursor tells whether the log is still the one that it was taken from', () => {
  const runs = [
    { id: 'a', seq: 0, event: 0 },
    { id: 'b', seq: 100, event: 10 },
  ];
  const history = { runs, heads: { users: 120, events: 30 } };
  expect(resumeAt(history, 'users', { run: 'b', seq: 110 })).toEqual({ seq: 110, lost: false });
  expect(resumeAt(history, 'users', { run: 'b', seq: 130 }), 'ahead of its log').toEqual({
    seq: 120,
    lost: true,
  });
  expect(resumeAt(history, 'users', { run: 'a', seq: 105 }), 'grew again since').toEqual({
    seq: 100,
    lost: true,
  });
  expect(resumeAt(history, 'users', { run: 'c', seq: 5 }), 'of another history').toEqual({
    seq: 0,
    lost: true,
  });
  expect(resumeAt(history, 'users', undefined)).toEqual({ seq: 0, lost: false });
  expect(cursorAt(history, 'users', 100)).toEqual({ run: 'a', seq: 100 });
  expect(cursorAt(history, 'events', 11)).toEqual({ run: 'b', seq: 11 });
  expect(runEnd(history, 'events', 3)).toBe(10);
});

test('S4 quiet hours, pauses and failures say when the next exchange begins', () => {
  const settings = {
    ...{ intervalMinutes: 10, continuous: true, bytesPerSecond: 0 },
    quiet: [{ from: '22:00', to: '02:00' }],
  };
  const plan = { settings, ended: 0, failures: 0, now: 1000, minute: 600 };
  expect(nextExchange(plan)).toBe(600_000);
  expect(nextExchange({ ...plan, news: 500 })).toBe(700);
  expect(nextExchange({ ...plan, failures: 1 })).toBe(5_000);
  expect(nextExchange({ ...plan, minute: 1380 })).toBe(1000 + 180 * 60_000);
  expect(nextExchange({ ...plan, minute: 1380, asked: 900 })).toBe(900);
  expect(nextExchange({ ...plan, settings: { ...settings, intervalMinutes: 0 } })).toBeUndefined();
  expect(quietFor(settings, 60)).toBe(60);
  expect(quietFor(settings, 120)).toBe(0);
});

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
  await world.during(north.satellite.stop());
  await store.close();
});
