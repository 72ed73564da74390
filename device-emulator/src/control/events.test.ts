import { connect } from 'node:net';
import { systemClock } from '@whorl/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startFleet } from '../fleet/fleet.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { fleetSchema } from '../fleet/schema.ts';
import type { FleetEvent } from '../events/event.ts';
import { serveControl } from './server.ts';
import type { Served } from './server.ts';

let fleet: Fleet;
let served: Served;

beforeEach(async () => {
  const terminals = [
    { name: 't1', address: 1, bootMs: 0 },
    { name: 't2', address: 2, model: 'face-100k' },
  ];
  const registers = [
    { name: 'contact', kind: 'discrete', address: 0 },
    { name: 'relay', kind: 'coil', address: 0 },
  ];
  const modules = [{ name: 'door-7', unit: 40, registers }];
  const floor = { name: 'floor', listen: { port: 0 }, baud: 115_200, terminals, modules };
  fleet = await startFleet(fleetSchema.parse({ lines: [floor] }), systemClock);
  served = await serveControl(fleet, 0);
});

afterEach(async () => {
  await served.app.close();
  await fleet.stop();
});

const url = (path: string): string => `http://127.0.0.1:${served.port}${path}`;

async function post(path: string, body: object = {}): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url(path), { method: 'POST', headers, body: JSON.stringify(body) });
  return answer.json();
}

async function events(query: string, headers: Record<string, string> = {}): Promise<FleetEvent[]> {
  const text = await (await fetch(url(`/events?${query}`), { headers })).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as FleetEvent);
}

test('E6 an enrolment in steps is seen as it goes, and what the display shows meanwhile', async () => {
  expect(await post('/terminals/t1/enrol-begin', { user: 7, name: 'Ada', finger: 3 })).toMatchObject({
    credential: 'finger.3',
    readings: 3,
  });
  const shown = await (await fetch(url('/terminals'))).json();
  expect(shown).toMatchObject([
    { lines: ['Enrol user 7', 'Place your finger', '1 of 3', ''], led: 'yellow', enrolment: { user: 7 } },
    { led: 'blue' },
  ]);
  expect(await post('/terminals/t1/card')).toEqual({ result: 'nothing', user: 7 });
  expect(await post('/terminals/t1/finger')).toEqual({ result: 'reading', user: 7 });
  expect(await post('/terminals/t1/finger')).toEqual({ result: 'reading', user: 7 });
  expect(await post('/terminals/t1/finger')).toEqual({ result: 'enrolled', user: 7 });
  expect(await post('/terminals/t1/finger', { user: 7 })).toEqual({ result: 'granted', user: 7 });
  expect(await post('/terminals/t1/finger', { user: 7, slot: 4 })).toEqual({ result: 'denied', user: 0 });
  const steps = await events('kind=enrolment,identified,denied&after=0&count=6');
  expect(steps).toMatchObject([
    { step: 'begun', reading: 0 },
    { step: 'reading', reading: 1 },
    { step: 'reading', reading: 2 },
    { step: 'done', user: 7, credential: 'finger.3' },
    { kind: 'identified', user: 7, credential: 'finger.3' },
    { kind: 'denied', user: 0 },
  ]);
  const seen = await events('terminal=t1&kind=display,door&after=0&count=7');
  expect(seen).toContainEqual(
    expect.objectContaining({ lines: ['Welcome', 'Ada', '', ''], led: 'green', sound: 'good' }),
  );
  expect(seen).toContainEqual(expect.objectContaining({ kind: 'door', released: true }));
});

test('E6 a PIN is typed, alone and after a card, and is shown to nobody', async () => {
  await post('/terminals/t1/enrol', { user: 7, card: 0, number: '04aa', pin: '4711', auth: 'card+pin' });
  expect(await post('/terminals/t1/card', { number: '04aa' })).toEqual({ result: 'more', user: 7 });
  expect(await post('/terminals/t1/keys', { keys: '4711#' })).toEqual({ result: 'granted', user: 7 });
  expect(await post('/terminals/t1/keys', { keys: '7#4711#' })).toEqual({ result: 'more', user: 7 });
  expect(await post('/terminals/t1/card', { user: 7 })).toEqual({ result: 'granted', user: 7 });
  await post('/terminals/t1/card', { number: '04aa' });
  expect(await post('/terminals/t1/keys', { keys: '0815#' })).toEqual({ result: 'denied', user: 7 });
  expect(await post('/terminals/t1/card', { number: 'ffff' })).toEqual({ result: 'denied', user: 0 });
  // A time, and the id that is made of it, may have such digits by chance.
  const told = (name: string, value: unknown): unknown => (/^(id|time)$/.test(name) ? undefined : value);
  const all = JSON.stringify(await events('after=0&count=20'), told);
  expect(all).toContain('PIN, then #');
  expect(all).not.toMatch(/4711|0815/);
});

test('E6 power, cables and faults are told of; a reader goes on after what it had', async () => {
  await post('/terminals/t1/reboot');
  await post('/terminals/t1/unplug');
  await post('/faults/t1/late', { by: '10ms' });
  await fetch(url('/faults/t1'), { method: 'DELETE' });
  const first = await events('terminal=t1&kind=power,plug,fault&after=0&count=3');
  expect(first).toMatchObject([
    { kind: 'power', power: 'off' },
    { kind: 'power', power: 'starting' },
    { kind: expect.stringMatching(/power|plug/) as string },
  ]);
  const rest = await events('terminal=t1&kind=power,plug,fault&count=3', {
    'last-event-id': String(first[2]?.id),
  });
  expect(rest).toContainEqual(expect.objectContaining({ kind: 'fault', fault: 'late', active: true }));
  expect(rest).toContainEqual(expect.objectContaining({ kind: 'fault', fault: 'late', active: false }));
  await post('/lines/floor/unplug');
  expect(await events(`after=${rest[2]?.id ?? 0}&kind=plug&count=1`)).toMatchObject([
    { line: 'floor', plugged: false },
  ]);
});

test('E6 what a terminal measures is told whenever it is set', async () => {
  await post('/terminals/t1/sense', { 'supply-mv': 9_800, door: true });
  expect(await events('kind=sensors&terminal=t1&after=0&count=1')).toMatchObject([
    { kind: 'sensors', line: 'floor', terminal: 't1', supplyMv: 9_800, door: true, tamper: false },
  ]);
});

test('E6 a module is told of, whoever sets its contacts and relays', async () => {
  const module = fleet.module('door-7');
  await post('/modules/door-7/set', { register: 'contact', value: 1 });
  await post('/modules/door-7/set', { register: 'contact', value: 1 });
  module.write('coil', 0, 1);
  await post('/modules/door-7/power-off');
  expect(await events('kind=module&after=0&count=3')).toMatchObject([
    { module: 'door-7', alive: true, register: 'contact', value: 1 },
    { module: 'door-7', register: 'relay', value: 1 },
    { module: 'door-7', alive: false },
  ]);
  // It hangs on no terminal, and is told of to nobody who follows one.
  await post('/terminals/t1/tamper');
  expect(await events('terminal=t1&after=0&count=2')).not.toContainEqual(
    expect.objectContaining({ kind: 'module' }),
  );
});

test('E6 a reader that was away for long is told that it missed something', async () => {
  await post('/terminals/t1/tamper');
  const [missed, next] = await events('after=5&kind=log&count=1');
  expect([missed, next]).toMatchObject([
    { kind: 'missed', id: 5 },
    { kind: 'log', what: 'terminal.tampered' },
  ]);
});

test('E6 frames on a line are told of: who, what when it can be known, how long', async () => {
  const port = Number(/port (\d+)/.exec(fleet.line('floor').cable.place)?.[1]);
  const socket = connect(port, '127.0.0.1');
  const following = events('kind=frame&line=floor&after=0&count=1');
  socket.write(Uint8Array.of(1, 2, 3, 0));
  expect(await following).toMatchObject([{ direction: 'to-terminal', form: 'damaged', bytes: 4 }]);
  socket.destroy();
});

test('E6 a reader that takes nothing is cut off, and goes on from its last event when it comes back', async () => {
  const { log } = served.watch;
  const lines = ['x'.repeat(4_000)];
  const socket = connect(served.port, '127.0.0.1');
  socket.write(`GET /events?after=0 HTTP/1.1\r\nhost: 127.0.0.1:${served.port}\r\n\r\n`);
  const ended = new Promise((resolve) => socket.once('close', resolve));
  let got = '';
  // Its first bytes tell that it follows; it takes no more.
  await new Promise<void>((resolve) => {
    socket.once('data', (bytes: Buffer) => {
      got += bytes.toString();
      socket.pause();
      resolve();
    });
  });
  const connections = (): Promise<number> =>
    new Promise((resolve) => served.app.server.getConnections((_error, count) => resolve(count)));
  // What the kernel holds for it, and then what the emulator keeps.
  for (let batch = 0; batch < 40 && (await connections()) > 0; batch += 1) {
    for (let i = 0; i < 500; i += 1)
      log.tell({ kind: 'display', line: 'floor', terminal: 't1', lines, led: 'blue', sound: 'none' });
    await fetch(url('/lines'), { headers: { connection: 'close' } });
  }
  await expect.poll(connections).toBe(0);
  socket.on('data', (bytes: Buffer) => (got += bytes.toString()));
  socket.resume();
  await ended;
  const last = [...got.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? '';
  expect(Number(last)).toBeLessThan(log.last);
  const [missed, next] = await events('count=2', { 'last-event-id': last });
  expect(missed).toMatchObject({ kind: 'missed', after: Number(last) });
  expect(next?.id).toBe(log.floor({ frames: true }) + 1);
});
