import { connect } from 'node:net';
import { VirtualClock } from '@whorl/protocol';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startFleet } from '../fleet/fleet.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { fleetSchema } from '../fleet/schema.ts';
import { serveControl } from './server.ts';

const HERE = '127.0.0.1:7480';
const TERMINALS = [{ name: 'door', address: 1, bootMs: 0 }];

let fleet: Fleet;
let app: FastifyInstance;
let port: number;

beforeEach(async () => {
  const clock = new VirtualClock();
  const lines = [{ name: 'floor', listen: { port: 0 }, terminals: TERMINALS }];
  fleet = await startFleet(fleetSchema.parse({ lines }), clock);
  ({ app, port } = await serveControl(fleet, 0, clock));
});

afterEach(async () => {
  await app.close();
  await fleet.stop();
});

type Method = 'GET' | 'POST' | 'DELETE' | 'OPTIONS';

function ask(method: Method, url: string, headers: Record<string, string>) {
  return app.inject({ method, url, headers: { host: HERE, ...headers } });
}

/** How browsers tell of pages that are none of this server's. */
const FOREIGN: readonly [string, Record<string, string>][] = [
  ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['another port of this machine', { origin: 'http://127.0.0.1:8080', 'sec-fetch-site': 'same-site' }],
  ['a file, or a frame in a sandbox', { origin: 'null' }],
  ['an image, which sends no origin', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ['a form', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ['a name that was pointed here', { host: 'evil.example:7480' }],
  ['such a name, in its own eyes at home', { host: 'evil.example', origin: 'http://evil.example' }],
  ['the same over TLS', { origin: `https://${HERE}` }],
];

test.each(FOREIGN)('E6 a page elsewhere does nothing: %s', async (_title, headers) => {
  const asked: readonly [Method, string][] = [
    ['POST', '/terminals/door/power-off'],
    ['POST', '/faults/door/deaf'],
    ['DELETE', '/faults/door'],
    ['GET', '/terminals'],
    ['GET', '/events'],
    ['GET', '/openapi.json'],
    ['OPTIONS', '/terminals/door/power-off'],
  ];
  for (const [method, path] of asked) {
    const answer = await ask(method, path, headers);
    expect([path, answer.statusCode, answer.json()]).toMatchObject([
      path,
      400,
      { code: 'CONTROL_REQUEST', place: expect.stringMatching(/host|origin/) as string },
    ]);
    // Nothing tells the browser that the page may read it.
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
  expect(fleet.terminal('door').terminal.power).toBe('on');
  expect(fleet.faults.active).toEqual([]);
});

test.each<[string, Record<string, string>]>([
  ['programs', {}],
  ['programs that call it by its other name', { host: 'localhost:7480' }],
  ['programs on IPv6', { host: '[::1]:7480' }],
  ['the panel', { origin: `http://${HERE}`, 'sec-fetch-site': 'same-origin' }],
  ['somebody who typed the address', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
])('E6 it does what is asked by %s', async (_title, headers) => {
  expect((await ask('POST', '/faults/door/deaf', headers)).statusCode).toBe(200);
  expect(fleet.faults.active).toMatchObject([{ fault: 'deaf' }]);
});

test('E6 a link elsewhere leads to the panel, which nobody may put into a frame', async () => {
  const answer = await ask('GET', '/', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
});

test('E6 the name that it listens on is one that it may be called by', async () => {
  const named = await serveControl(fleet, { port: 0, host: 'localhost' });
  const answer = await named.app.inject({ url: '/lines', headers: { host: 'LOCALHOST:7480' } });
  expect(answer.statusCode).toBe(200);
  await named.app.close();
});

test.each<[string, string, string, RegExp]>([
  ['no JSON', 'application/json', '{', /the body is no JSON/],
  ['a form', 'application/x-www-form-urlencoded', 'user=5', /content-type: application\/json/],
  ['text', 'text/plain', '{"user":5}', /content-type: application\/json/],
  ['too long', 'application/json', `{"name":"${'x'.repeat(1 << 20)}"}`, /up to 1048576 bytes/],
  ['a number', 'application/json', '5', /no JSON object/],
  ['nothing at all', 'application/json', 'null', /no JSON object/],
  ['a prototype', 'application/json', '{"__proto__":{"user":5}}', /__proto__|unknown option/],
])('E6 a body that is %s is refused: where, and what to do', async (_title, type, body, message) => {
  const headers = { host: HERE, 'content-type': type };
  const before = fleet.terminal('door').terminal.tableDigest;
  const url = '/terminals/door/enrol';
  const answer = await app.inject({ method: 'POST', url, payload: body, headers });
  expect([answer.statusCode, answer.json()]).toMatchObject([
    400,
    {
      code: 'CONTROL_REQUEST',
      message: expect.stringMatching(message) as string,
      place: expect.any(String) as string,
      remedy: expect.stringMatching(/\w/) as string,
    },
  ]);
  expect(fleet.terminal('door').terminal.tableDigest).toBe(before);
});

test('E6 a body that is empty asks for nothing in particular, whatever its type', async () => {
  const headers = { host: HERE, 'content-type': 'application/json' };
  const answer = await app.inject({ method: 'DELETE', url: '/faults/door', headers, payload: '' });
  expect(answer.json()).toEqual({ ended: 0, active: [] });
});

test('E6 whatever is wrong with a request is told in the same four words: code, message, place, remedy', async () => {
  const told = async (method: 'GET' | 'POST', url: string, payload?: object): Promise<unknown> => {
    const answer = await app.inject({ method, url, headers: { host: HERE }, ...(payload && { payload }) });
    return [answer.statusCode, answer.json()];
  };
  const refused = (message: RegExp): unknown => [
    400,
    {
      ...{ code: 'CONTROL_REQUEST', message: expect.stringMatching(message) as string },
      ...{ place: expect.any(String) as string, remedy: expect.any(String) as string },
    },
  ];
  const enrol = '/terminals/door/enrol';
  expect(await told('GET', '/terminals/%ff')).toEqual(refused(/%ff/));
  expect(await told('GET', '/events?kind=door&kind=display')).toEqual(
    refused(/^kind: is given more than once$/),
  );
  expect(await told('POST', enrol, { user: 1e99 })).toEqual(refused(/^user: a whole number from 1 to \d+$/));
  expect(await told('POST', enrol, { name: 'x'.repeat(65) })).toEqual(
    refused(/^name: at most 64 characters$/),
  );
  expect(await told('POST', enrol, { auth: 'none' })).toEqual(refused(/^auth: one of any, card, finger/));
  expect(await told('POST', '/terminals/door/set-clock', { time: 'now' })).toEqual(
    refused(/^time: .*2026-05-01T/),
  );
});

test('E6 who speaks no HTTP is told so, and cut off', async () => {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
  const over = new Promise((done) => socket.once('close', done));
  socket.write('GARBAGE\r\n\r\n');
  await over;
  expect(answer).toMatch(/^HTTP\/1\.1 400 .*"code":"CONTROL_REQUEST","message":"no HTTP: .*"remedy":/s);
});
