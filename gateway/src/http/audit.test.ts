import { expect, test } from 'vitest';
import { api } from './testing/bench.ts';

const PASSWORD = 'correct horse battery';

test('G6 B17 what is done over the API stands in the audit trail with who, what and outcome; no secret does', async () => {
  const { app, network, access, audit, gateway } = await api();
  await access.addAccount({ name: 'ada', role: 'operator', password: PASSWORD });
  const login = await network.inject({
    method: 'POST',
    url: '/login',
    payload: { name: 'ada', password: PASSWORD },
  });
  const { token } = login.json<{ token: string }>();
  const headers = { authorization: `Bearer ${token}` };
  await network.inject({
    method: 'POST',
    url: '/login',
    payload: { name: 'hunter2hunter2', password: 'oops' },
  });
  await network.inject({ method: 'POST', url: '/users', headers, payload: { id: 7, name: 'Secret Name' } });
  await network.inject({ method: 'DELETE', url: '/users/9', headers });
  await network.inject({ method: 'PATCH', url: '/users/7', headers, payload: { nmae: 'x' } });
  await network.inject({ method: 'GET', url: '/accounts', headers });
  await app.inject({ method: 'PATCH', url: '/settings', payload: { autoSync: 'off' } });
  await app.inject({ method: 'GET', url: '/users/7/record' });
  const list = await audit.list({ limit: 100 });
  expect(list.map(({ who, deed, target, outcome }) => [who, deed, target, outcome].join(' | '))).toEqual([
    'nobody | session.login | account ada | done',
    'nobody | session.login | an unknown account | AUTH_WRONG',
    'ada | users.add | user 7 | done',
    'ada | users.delete | user 9 | USER_UNKNOWN',
    'ada | accounts.list | /accounts | AUTH_ROLE',
    'machine | settings.change | settings | done',
    'machine | users.record | user 7 | asked',
  ]);
  expect(list.map(({ place }) => place)).toEqual([
    ...Array.from({ length: 5 }, () => '127.0.0.1'),
    'local socket',
    'local socket',
  ]);
  const text = JSON.stringify(await gateway.store.audit.rows(0, 100));
  for (const secret of [PASSWORD, token, 'hunter2', 'Secret Name']) expect(text).not.toContain(secret);
  expect(await audit.verify()).toMatchObject({ sound: true });
});

test('G6 what cannot be written down is not done', async () => {
  const { app, gateway } = await api();
  await gateway.store.close();
  const answer = await app.inject({ method: 'POST', url: '/users', payload: { id: 7, name: 'Ada' } });
  expect(answer.statusCode).toBe(503);
});
