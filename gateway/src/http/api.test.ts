import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { api } from './testing/bench.ts';

interface Case {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';
  readonly url: string;
  readonly payload?: string | object;
  readonly type?: string;
}

test.each<[string, Case, number, string, string]>([
  ['an unknown place', { method: 'GET', url: '/nothing' }, 404, 'REQUEST_UNKNOWN', '/nothing'],
  ['an unknown method', { method: 'PUT', url: '/users/7' }, 404, 'REQUEST_UNKNOWN', 'PUT'],
  ['no JSON', { method: 'POST', url: '/users', payload: '{' }, 400, 'REQUEST_INVALID', ''],
  [
    'another kind of body',
    { method: 'POST', url: '/users', payload: '<a/>', type: 'text/xml' },
    400,
    'REQUEST_INVALID',
    '',
  ],
  ['no body', { method: 'POST', url: '/users' }, 400, 'REQUEST_INVALID', 'user'],
  ['a list', { method: 'POST', url: '/users', payload: [7] }, 400, 'REQUEST_INVALID', 'user'],
  [
    'an unknown key',
    { method: 'POST', url: '/users', payload: { id: 7, nmae: 'x' } },
    400,
    'REQUEST_INVALID',
    'nmae',
  ],
  [
    'a wrong type',
    { method: 'POST', url: '/users', payload: { id: 7, groups: 'all' } },
    400,
    'REQUEST_INVALID',
    'user.groups',
  ],
  ['a path that is no text', { method: 'GET', url: '/users/%ff' }, 400, 'REQUEST_INVALID', '%ff'],
  [
    'a name without end',
    { method: 'GET', url: `/accounts/${'x'.repeat(4000)}` },
    404,
    'REQUEST_UNKNOWN',
    'xxx',
  ],
  ['an id out of range', { method: 'GET', url: '/users/4294967296' }, 400, 'REQUEST_INVALID', 'path.id'],
  ['an id that is none', { method: 'DELETE', url: '/users/..%2f' }, 400, 'REQUEST_INVALID', 'path.id'],
  ['an unknown user', { method: 'PATCH', url: '/users/9', payload: { name: 'x' } }, 404, 'USER_UNKNOWN', '9'],
  ['an unknown terminal', { method: 'GET', url: '/ledger?terminal=x' }, 404, 'TERMINAL_UNKNOWN', 'x'],
  ['an unknown filter', { method: 'GET', url: '/events?typ=x' }, 400, 'REQUEST_INVALID', 'typ'],
  [
    'a limit out of range',
    { method: 'GET', url: '/users?limit=99999' },
    400,
    'REQUEST_INVALID',
    'query.limit',
  ],
  [
    'an unknown setting',
    { method: 'PATCH', url: '/settings', payload: { speed: 1 } },
    400,
    'REQUEST_INVALID',
    'speed',
  ],
  [
    'a setting out of range',
    { method: 'PATCH', url: '/settings', payload: { autoSync: 'x' } },
    400,
    'REQUEST_INVALID',
    'settings.autoSync',
  ],
  [
    'a prototype',
    { method: 'PATCH', url: '/settings', payload: '{"__proto__":{"autoSync":"off"}}' },
    400,
    'REQUEST_INVALID',
    '',
  ],
])(
  '%s is answered with code, place and remedy, and changes nothing',
  async (...[, request, status, code, named]) => {
    const { app, gateway, failures } = await api();
    const before = await gateway.operations.status();
    const { type = 'application/json', ...rest } = request;
    const headers = request.payload === undefined ? {} : { 'content-type': type };
    const answer = await app.inject({ ...rest, headers });
    const body = answer.json<{ code: string; message: string; remedy: string }>();
    expect(answer.statusCode).toBe(status);
    expect(body.code).toBe(code);
    expect(body.message).toContain(named);
    expect(body.remedy).not.toBe('');
    expect(failures).toEqual([]);
    expect(await gateway.operations.status()).toEqual(before);
  },
);

test('a body that is too large is refused before it is read', async () => {
  const { app, failures } = await api();
  const headers = { 'content-type': 'application/json', 'content-length': String(1 << 30) };
  const answer = await app.inject({ method: 'POST', url: '/jobs/import', headers, payload: '{}' });
  expect(answer.statusCode).toBe(413);
  expect(answer.json<{ code: string }>().code).toBe('REQUEST_SIZE');
  expect(failures).toEqual([]);
});

test('what is no HTTP is answered with code and remedy, too', async () => {
  const { app } = await api();
  await app.listen({ port: 0, host: '127.0.0.1' });
  const [place] = app.addresses();
  const socket = connect(typeof place === 'object' ? place.port : 0, '127.0.0.1');
  socket.end('GIVE /users\r\n\r\n');
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ code: 'REQUEST_INVALID' });
});

test('an import of which one user is wrong changes nobody', async () => {
  const { app, gateway } = await api();
  const users = [
    { id: 1, name: 'Ada' },
    { id: 2, name: '' },
  ];
  const answer = await app.inject({ method: 'POST', url: '/jobs/import', payload: { users } });
  expect(answer.json<{ message: string }>().message).toContain('body.users.1.name');
  const records = [
    { id: 3, fields: { 1: 'QWRh' } },
    { id: 4, fields: { 64: 'QWRh' } },
  ];
  const second = await app.inject({ method: 'POST', url: '/jobs/import', payload: { records } });
  expect(second.statusCode).toBe(400);
  expect((await gateway.operations.status()).users).toBe(0);
});

test('what is none of the caller’s fault keeps its text to itself', async () => {
  const { app, gateway, failures } = await api();
  await gateway.store.close();
  const answer = await app.inject({ method: 'GET', url: '/users' });
  expect(answer.statusCode).toBeGreaterThanOrEqual(500);
  expect(answer.json<{ remedy: string }>().remedy).not.toBe('');
  expect(failures.length).toBeLessThanOrEqual(1);
});
