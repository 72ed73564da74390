import { expect, test } from 'vitest';
import { api } from './testing/bench.ts';

test('G6 an import is a job: checked whole before it begins, followed to its end', async () => {
  const { app, gateway } = await api();
  const bad = { records: [{ id: 4, fields: { 64: 'QWRh' } }] };
  const refused = await app.inject({ method: 'POST', url: '/jobs/import', payload: bad });
  expect(refused.statusCode).toBe(400);
  expect((await app.inject({ method: 'GET', url: '/jobs' })).json()).toEqual([]);
  const users = Array.from({ length: 50 }, (_, n) => ({ id: n + 1, name: `user ${n + 1}` }));
  const begun = await app.inject({ method: 'POST', url: '/jobs/import', payload: { users } });
  expect(begun.statusCode).toBe(202);
  expect(begun.json()).toMatchObject({ kind: 'import', who: 'machine', state: 'running', total: 50 });
  const { id } = begun.json<{ id: number }>();
  const told = await app.inject({ method: 'GET', url: `/jobs/${id}/progress` });
  const states = told.body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { state: string; done: number; result?: unknown });
  expect(states.at(-1)).toMatchObject({ state: 'done', done: 50, result: { added: 50, failed: [] } });
  expect((await gateway.operations.status()).users).toBe(50);
});

test('G6 a cancelled import leaves what it did, and says how much that is', async () => {
  const { app, gateway } = await api();
  const users = Array.from({ length: 5000 }, (_, n) => ({ id: n + 1, name: `user ${n + 1}` }));
  const begun = await app.inject({ method: 'POST', url: '/jobs/import', payload: { users } });
  const { id } = begun.json<{ id: number }>();
  const told = app.inject({
    method: 'GET',
    url: `/jobs/${id}/progress`,
    headers: { accept: 'text/event-stream' },
  });
  await app.inject({ method: 'POST', url: `/jobs/${id}/cancel` });
  const { body } = await told;
  const end = body.slice(body.indexOf('event: end'));
  const job = JSON.parse(/data: (.*)/.exec(end)?.[1] ?? '') as { state: string; result: { added: number } };
  expect(job.state).toBe('cancelled');
  expect(job.result.added).toBeLessThan(5000);
  expect((await gateway.operations.status()).users).toBe(job.result.added);
});
