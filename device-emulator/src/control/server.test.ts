import { VirtualClock } from '@whorl/protocol';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startFleet } from '../fleet/fleet.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { fleetSchema } from '../fleet/schema.ts';
import { LINE_FAULTS } from '../faults/line-faults.ts';
import { TERMINAL_FAULTS } from '../faults/terminal-faults.ts';
import { LINE_ACTIONS, MODULE_ACTIONS, TERMINAL_ACTIONS } from './actions.ts';
import { serveControl } from './server.ts';

let fleet: Fleet;
let app: FastifyInstance;
let clock: VirtualClock;

beforeEach(async () => {
  clock = new VirtualClock();
  const config = fleetSchema.parse({
    lines: [
      {
        name: 'floor',
        listen: { port: 0 },
        baud: 115_200,
        terminals: [
          { name: 't1', address: 1, capabilities: { users: 30 } },
          { name: 't2', address: 2, model: 'card-500' },
        ],
      },
    ],
  });
  fleet = await startFleet(config, clock);
  ({ app } = await serveControl(fleet, 0, clock));
});

afterEach(async () => {
  await app.close();
  await fleet.stop();
});

async function post(path: string, payload: object = {}): Promise<{ status: number; body: unknown }> {
  const state = { over: false };
  const running = app
    .inject({ method: 'POST', url: path, payload, headers: { host: '127.0.0.1' } })
    .finally(() => (state.over = true));
  while (!state.over) await clock.run({ forMs: 0 });
  const { statusCode, body } = await running;
  return { status: statusCode, body: JSON.parse(body) };
}

async function get(path: string): Promise<unknown> {
  return (await app.inject({ url: path, headers: { host: '127.0.0.1' } })).json();
}

async function remove(path: string): Promise<unknown> {
  const options = { method: 'DELETE', url: path, headers: { host: '127.0.0.1' } } as const;
  return (await app.inject(options)).json();
}

/** All that a bad request must leave as it was. */
function standing(): unknown {
  const { terminal, line } = fleet.terminal('t1');
  return [terminal.power, terminal.tableDigest, terminal.logs(), terminal.shown, line.medium.counters];
}

describe('E6 what people do', () => {
  test('E6 a finger is pressed, a user edited, a card tapped, a user deleted', async () => {
    expect(
      await post('/terminals/t1/enrol', { user: 1042, name: 'Ada', fingers: 2, card: 1, number: '04a1b2c3' }),
    ).toEqual({ status: 200, body: { users: [1042] } });
    expect(await post('/terminals/t1/tap', { card: '04A1B2C3' })).toEqual({
      status: 200,
      body: { granted: true, user: 1042 },
    });
    expect(await post('/terminals/t1/edit', { user: '1042', groups: '2,1', clear: 'finger.1' })).toEqual({
      status: 200,
      body: { changed: true },
    });
    expect(fleet.terminal('t1').terminal.user(1042)).toMatchObject({
      name: 'Ada',
      groups: [1, 2],
      'finger.1': undefined,
    });
    expect(await post('/terminals/t1/delete', { user: 1042 })).toEqual({ status: 200, body: {} });
    expect(fleet.terminal('t1').terminal.users().size).toBe(0);
  });

  test('E6 many are enrolled in one call, until the terminal is full', async () => {
    const many = await post('/terminals/t1/enrol', { user: '100', name: 'Guest', count: '25', fingers: '1' });
    expect(many.body).toEqual({ users: Array.from({ length: 25 }, (_, i) => 100 + i) });
    expect(fleet.terminal('t1').terminal.user(124)?.name).toBe('Guest 25');
    const more = await post('/terminals/t1/enrol', { count: 10 });
    expect(more).toMatchObject({ status: 409, body: { code: 'TERMINAL_FULL' } });
    expect((more.body as { message: string }).message).toMatch(/^5 of 10 users were enrolled/);
  });

  test('E6 who is given no credential gets the next one that the terminal can read', async () => {
    await post('/terminals/t1/enrol', { user: 1 });
    await post('/terminals/t1/enrol', { user: 1 });
    await post('/terminals/t2/enrol', { user: 1 });
    expect(fleet.terminal('t1').terminal.user(1)).toMatchObject({ 'finger.0': {}, 'finger.1': {} });
    expect(fleet.terminal('t2').terminal.user(1)).toMatchObject({ 'card.0': {} });
  });
});

describe('E6 what befalls a terminal', () => {
  test('E6 power, cable, clock and log', async () => {
    const { terminal, line } = fleet.terminal('t1');
    await post('/terminals/t1/unplug');
    expect(line.medium.isPlugged(terminal)).toBe(false);
    await post('/terminals/t1/plug');
    expect(line.medium.isPlugged(terminal)).toBe(true);
    expect((await post('/terminals/t1/set-clock', { time: '2030-01-01T00:00:00Z', ppm: -5 })).body).toEqual({
      shown: '2030-01-01T00:00:00.000Z',
    });
    await post('/terminals/t1/tamper');
    await post('/terminals/t1/enrol-fail', { user: 3 });
    await post('/terminals/t1/clear-log');
    expect(terminal.logs().map(({ kind }) => kind)).toEqual(['log.cleared']);
    await post('/terminals/t1/power-off');
    expect(terminal.power).toBe('off');
    expect(await post('/terminals/t1/tamper')).toMatchObject({ status: 409, body: { code: 'TERMINAL_OFF' } });
    expect(await get('/terminals/t1')).toMatchObject({ power: 'off', users: null });
    await post('/terminals/t1/power-on');
    await clock.run({ forMs: 5_000 });
    await post('/terminals/t1/reboot');
    await clock.run({ forMs: 5_000 });
    expect(terminal.boots).toBe(3);
    await post('/terminals/t1/factory-reset');
    await clock.run({ forMs: 5_000 });
    expect(terminal.boots).toBe(4);
  });

  test('E6 the cable of a line is pulled and plugged', async () => {
    const port = (): string => fleet.line('floor').cable.place;
    const before = port();
    expect((await post('/lines/floor/unplug')).status).toBe(200);
    expect((await post('/lines/floor/plug')).status).toBe(200);
    expect(port()).toBe(before);
  });
});

test('E4 E6 faults are begun, listed, ended by hand and by time', async () => {
  const wrong = async (): Promise<unknown> => ((await get('/faults')) as { active: unknown }).active;
  expect(await post('/faults/floor/noise', { for: '20ms' })).toMatchObject({
    status: 200,
    body: { active: [{ fault: 'noise', on: 'floor' }] },
  });
  await post('/faults/floor/corrupt', { rate: '1e-3' });
  await post('/faults/t1/late', { by: '40ms', chance: 0.5 });
  await post('/faults/t1/late', { by: '50ms' });
  expect(await wrong()).toHaveLength(3);
  await clock.run({ forMs: 100 });
  expect(await wrong()).toMatchObject([
    { fault: 'corrupt', on: 'floor' },
    { fault: 'late', on: 't1' },
  ]);
  const { counters } = fleet.line('floor').medium;
  expect(counters.noiseBytes).toBeGreaterThan(0);
  expect(counters.flippedBits).toBeGreaterThan(0);
  expect(await remove('/faults/floor')).toEqual({ ended: 1, active: [] });
  expect(await remove('/faults/t1/deaf')).toMatchObject({ ended: 0, active: [{ fault: 'late' }] });
  expect(await remove('/faults/t1/late')).toEqual({ ended: 1, active: [] });
});

test('E6 lists and details', async () => {
  fleet.terminal('t1').terminal.enrol({ user: 5, finger: 1 });
  expect(await get('/terminals')).toMatchObject([
    { name: 't1', line: 'floor', address: 1, power: 'on', plugged: true, users: 1 },
    { name: 't2', model: 'card-500' },
  ]);
  expect(await get('/lines')).toMatchObject([{ name: 'floor', terminals: ['t1', 't2'], wired: true }]);
  const { terminal } = fleet.terminal('t1');
  expect(await get('/terminals/t1?logs=1')).toMatchObject({
    digests: Object.fromEntries(terminal.users()),
    table: terminal.tableDigest,
    logs: [{ kind: 'user.enrolled', user: 5 }],
  });
});

describe('E6 bad requests change nothing and say what is wrong', () => {
  test.each<[string, string, object, [number, string, RegExp]]>([
    ['an unknown option', '/terminals/t1/enrol', { usr: 5 }, [400, 'usr', /did you mean user\?/]],
    ['an option where there is none', '/terminals/t1/reboot', { hard: 1 }, [400, 'hard', /no options/]],
    ['no number', '/terminals/t1/enrol', { user: 'five' }, [400, 'user', /user:/]],
    ['an empty number', '/terminals/t1/enrol', { user: 5, finger: '' }, [400, 'finger', /finger:/]],
    ['a truth for a number', '/terminals/t1/enrol', { user: true }, [400, 'user', /user:/]],
    ['a slot that nobody has', '/terminals/t1/enrol', { user: 5, finger: 10 }, [400, 'finger', /finger:/]],
    ['a slot that this model lacks', '/terminals/t2/enrol', { user: 5, finger: 1 }, [400, '', /finger\.1/]],
    ['a card number that is none', '/terminals/t1/tap', { card: 'xyz' }, [400, 'card', /hex/]],
    ['nobody who taps', '/terminals/t1/tap', {}, [400, 'user', /who taps/]],
    ['a field that is none', '/terminals/t1/edit', { user: 5, clear: 'toe.1' }, [400, 'clear.0', /toe\.1/]],
    ['a time that is none', '/terminals/t1/set-clock', { time: 'noon' }, [400, 'time', /time:/]],
    ['a rate above one', '/faults/floor/corrupt', { rate: 2 }, [400, 'rate', /rate:/]],
    ['a time that is no duration', '/faults/floor/noise', { for: 'long' }, [400, 'for', /10s/]],
    ['an unknown fault', '/faults/floor/noize', {}, [404, 'fault', /did you mean noise\?/]],
    ['a fault of a terminal on a line', '/faults/floor/deaf', {}, [404, 'fault', /no fault is called deaf/]],
    ['a time for what is over at once', '/faults/t1/clock-jumps', { for: 5 }, [400, 'for', /over at once/]],
    ['a fault of nobody', '/faults/t9/deaf', {}, [404, '', /t9/]],
    ['an unknown action', '/terminals/t1/enroll', {}, [404, 'action', /did you mean enrol\?/]],
    ['an unknown action of a line', '/lines/floor/tap', {}, [404, 'action', /no action is called tap/]],
    ['an inherited name', '/terminals/t1/constructor', {}, [404, 'action', /constructor/]],
    ['an unknown terminal', '/terminals/t9/tap', { user: 1 }, [404, '', /t9/]],
    ['an unknown user', '/terminals/t1/delete', { user: 77 }, [404, '', /77/]],
    ['an unknown page', '/terminal/t1', {}, [404, '', /\/terminal\/t1/]],
    ['a list for a body', '/terminals/t1/reboot', [], [400, 'body', /no JSON object/]],
  ])('E6 %s', async (_title, path, payload, [status, place, message]) => {
    const before = standing();
    const answer = await post(path, payload);
    expect(answer).toMatchObject({
      status,
      body: { place, message: expect.stringMatching(message) as string },
    });
    expect(answer.body).toMatchObject({
      code: expect.any(String) as string,
      remedy: expect.any(String) as string,
    });
    expect(standing()).toEqual(before);
  });
});

test('E6 what is not there is told from what is there and asked in another way', async () => {
  const nothing = [404, 'CONTROL_UNKNOWN', undefined] as const;
  const nobody = [404, 'FLEET_UNKNOWN', undefined] as const;
  const otherwise = (allow: string) => [405, 'CONTROL_METHOD', allow] as const;
  const asked = {
    'GET /nothing': nothing,
    'POST /nothing': nothing,
    'GET /terminals/t1/nothing': nothing,
    'GET /terminals/t1/enrol/more': nothing,
    'GET /panel/panel/nothing.ts': nothing,
    'GET /terminals//dump': nobody,
    'GET /terminals/t9': nobody,
    'GET /terminals/t9/dump': nobody,
    'GET /terminals?line=roof': nobody,
    'GET /events?terminal=t9': nobody,
    'DELETE /faults/t9': nobody,
    'GET /terminals/t1/enrol?user=5': otherwise('POST'),
    'PUT /terminals/t1': otherwise('GET, HEAD'),
    'GET /faults/t1/late': otherwise('POST, DELETE'),
    'POST /events': otherwise('GET, HEAD'),
    'DELETE /': otherwise('GET, HEAD'),
  };
  for (const [what, told] of Object.entries(asked)) {
    const [method, url] = what.split(' ') as ['GET' | 'PUT' | 'POST', string];
    // As curl sends it: that it is no JSON is not what is wrong.
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const sent = method.startsWith('P') ? { payload: 'a=b', headers: { host: '127.0.0.1', ...form } } : {};
    const answer = await app.inject({ method, url, headers: { host: '127.0.0.1' }, ...sent });
    const { code } = answer.json<{ code: string }>();
    expect([what, answer.statusCode, code, answer.headers.allow]).toEqual([what, ...told]);
  }
});

test('E6 a port that is taken is an error that names it', async () => {
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(serveControl(fleet, port)).rejects.toMatchObject({ code: 'EMULATOR_LISTEN' });
});

test('E4 E6 every option of every action and fault says what it is', () => {
  const all = [TERMINAL_ACTIONS, LINE_ACTIONS, MODULE_ACTIONS, LINE_FAULTS, TERMINAL_FAULTS];
  const rows = all.flatMap((table) =>
    Object.entries<{ doc: string; options: Readonly<Record<string, string>> }>(table),
  );
  for (const [name, { doc, options }] of rows) {
    expect(doc, name).not.toBe('');
    for (const [option, help] of Object.entries(options)) expect(help, `${name} --${option}`).not.toBe('');
  }
});
