import { systemClock } from '@whorl/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startFleet } from '../fleet/fleet.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { fleetSchema } from '../fleet/schema.ts';
import { Emulator } from './emulator.ts';
import { serveControl } from './server.ts';
import type { Served } from './server.ts';

let fleet: Fleet;
let served: Served;
let emulator: Emulator;

beforeEach(async () => {
  const terminals = [
    { name: 't1', address: 1, bootMs: 0 },
    { name: 't2', address: 2, bootMs: 0 },
  ];
  const lines = [{ name: 'floor', listen: { port: 0 }, baud: 115_200, terminals }];
  fleet = await startFleet(fleetSchema.parse({ lines }), systemClock);
  served = await serveControl(fleet, 0);
  emulator = new Emulator(served.port);
});

afterEach(async () => {
  await served.app.close();
  await fleet.stop();
});

test('E6 a typed client does what a person does, and is told what came of it', async () => {
  expect(await emulator.at('t1', 'enrol', { user: 7, name: 'Ada', finger: 3 })).toMatchObject({ users: [7] });
  expect(await emulator.terminal('t1')).toMatchObject({
    users: 1,
    logs: [{}, { kind: 'user.enrolled', user: 7 }],
  });
  expect((await emulator.terminals('floor')).map(({ name }) => name)).toEqual(['t1', 't2']);
  expect(await emulator.lines()).toMatchObject([{ name: 'floor' }]);
  await emulator.on('floor', 'unplug-line');
  // @ts-expect-error there is no such option
  const refused = emulator.at('t1', 'enrol', { person: 7 });
  await expect(refused).rejects.toMatchObject({ code: 'CONTROL_REQUEST' });
  await expect(emulator.terminal('t9')).rejects.toMatchObject({ code: 'FLEET_UNKNOWN' });
});

test('E6 what happens is followed from where one was, and awaited by name', async () => {
  await emulator.at('t1', 'enrol', { user: 7, name: 'Ada', finger: 3 });
  await emulator.at('t1', 'finger', { user: 7 });
  const all = { terminal: 't1', kinds: ['identified'], after: 0 } as const;
  const seen = await emulator.awaited('Ada', all, (event) => event.kind === 'identified', {
    withinMs: 5_000,
  });
  expect(seen).toMatchObject({ kind: 'identified', terminal: 't1', user: 7 });
  const never = emulator.awaited('nobody', { ...all, after: seen.id }, () => true, { withinMs: 50 });
  await expect(never).rejects.toThrow('awaited for 50 ms in vain: nobody');
});

test('E4 E6 faults are begun and healed by name', async () => {
  expect(await emulator.begin('t1', 'deaf')).toMatchObject({ active: [{ fault: 'deaf', on: 't1' }] });
  expect((await emulator.faults()).active).toHaveLength(1);
  expect(await emulator.heal('t1')).toMatchObject({ ended: 1, active: [] });
});

test('E6 who asks an emulator that is not there is told so', async () => {
  await served.app.close();
  await expect(emulator.lines()).rejects.toMatchObject({ code: 'CONTROL_UNREACHABLE' });
  const following = emulator.events({}, new AbortController().signal).next();
  await expect(following).rejects.toMatchObject({ code: 'CONTROL_UNREACHABLE' });
});
