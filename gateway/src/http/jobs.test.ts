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

test('B13 an import that overwrites many at a terminal is refused until it is confirmed, and does what the dry run said', async () => {
  const over = { kind: 'tcp', host: '127.0.0.1', port: 1, turnaroundMs: 1, latencyMs: 1 } as const;
  const terminals = [{ name: 'door', address: 1, groups: [] }];
  const { app, gateway } = await api([{ name: 'floor', over, terminals }]);
  const everybody = Array.from({ length: 20 }, (_, n) => n + 1);
  for (const id of everybody) await gateway.operations.addUser(id, { set: { name: 'right' }, clear: [] });
  const there = { terminal: 'door', want: 'present', state: 'verified', version: 1, attempts: 0 } as const;
  await gateway.store.writeLedger(everybody.map((user) => ({ ...there, user })));
  const renamed = (users: number): object => ({
    users: [...everybody.slice(0, users), 77].map((id) => ({ id, name: 'wrong file' })),
  });
  const send = async (query: string, payload: object): Promise<{ status: number; body: unknown }> => {
    const answer = await app.inject({ method: 'POST', url: `/jobs/import${query}`, payload });
    return { status: answer.statusCode, body: answer.json<unknown>() };
  };
  const nobody = async (): Promise<void> => {
    for (const id of everybody) expect((await gateway.store.user(id))?.version).toBe(1);
    expect((await app.inject({ method: 'GET', url: '/jobs' })).json()).toEqual([]);
  };

  expect((await send('', renamed(12))).body).toMatchObject({
    code: 'GUARD_EXCEEDED',
    message: expect.stringContaining('overwrites 12 of 20 users at door') as string,
  });
  const { body: preview } = await send('?dryRun=true&limit=3', renamed(12));
  expect(preview).toMatchObject({
    guarded: true,
    terminals: [{ terminal: 'door', users: 20, added: 1, overwritten: 12, removed: 0 }],
    users: [1, 2, 3].map((user) => ({ user, terminal: 'door', effect: 'overwritten' })),
  });
  const { confirm } = preview as { confirm: string };
  expect((await send(`?confirm=${confirm}`, renamed(13))).body).toMatchObject({ code: 'GUARD_CHANGED' });
  await nobody();
  expect((await send('?dryRun=true', renamed(5))).body, 'a handful').toMatchObject({ guarded: false });
  const same = { users: everybody.map((id) => ({ id, name: 'right' })) };
  expect((await send('?dryRun=true', same)).body, 'nothing new').toMatchObject({ terminals: [] });
  await nobody();
  expect(await send(`?confirm=${confirm}`, renamed(12))).toMatchObject({ status: 202 });
});
