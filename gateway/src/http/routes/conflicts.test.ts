import { encodeUser, readRecord } from '@whorl/protocol';
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { decide } from '../../sync/pulled.ts';
import { api } from '../testing/bench.ts';

const SECRET = Buffer.from('TEMPLATE-THAT-NOBODY-MAY-READ');

const finger = (seed: string) =>
  ({ format: 1, quality: 90, first: Buffer.concat([SECRET, Buffer.from(seed)]), second: SECRET }) as const;

/** A gateway whose terminal `door` holds another name, card and finger of user 7. */
async function disputed(): Promise<FastifyInstance> {
  const { app, gateway } = await api();
  const { operations, store } = gateway;
  const card = (number: string) => ({ format: 1, number: Buffer.from(number, 'hex') });
  await operations.addUser(7, {
    set: { name: 'Ada', 'card.0': card('0a'), 'card.1': card('0c'), 'finger.0': finger('a') },
    clear: [],
  });
  const record = readRecord(
    encodeUser({
      id: 7,
      name: 'Ada King',
      'card.0': card('0b'),
      'card.1': card('0c'),
      'finger.0': finger('b'),
    }),
  );
  const held = await store.user(7);
  const decided = decide({
    user: 7,
    terminal: 'door',
    held,
    incoming: { record, by: { origin: 'terminal', terminal: 'door', time: 1_700_000_000_000, log: 88 } },
    known: [],
    settings: { hold: true, merge: {} },
    now: 1_700_000_001_000,
  });
  const { conflicts } = decided;
  await store.saveUser({ user: 7, from: 1, next: held, ledger: [], conflicts, events: [], time: 1 });
  return app;
}

test('B4 G7 the inbox shows both sides, who, where, when and which log, and no template', async () => {
  const app = await disputed();
  const list = await app.inject({ method: 'GET', url: '/conflicts' });
  expect(list.json()).toMatchObject([
    { id: 1, user: 7, kind: 'name', field: 'name', terminal: 'door', state: 'open' },
    { id: 2, kind: 'card', field: 'card.0' },
    { id: 3, kind: 'finger', field: 'finger.0' },
  ]);
  const theirs = { origin: 'terminal', terminal: 'door', time: '2023-11-14T22:13:20.000Z', log: 88 };
  expect((await app.inject({ method: 'GET', url: '/conflicts/1' })).json()).toMatchObject({
    ours: [{ value: 'Ada', origin: 'gateway' }],
    theirs: [{ value: 'Ada King', ...theirs }],
    now: [{ value: 'Ada' }],
  });
  expect((await app.inject({ method: 'GET', url: '/conflicts/2' })).json()).toMatchObject({
    theirs: [{ value: 'format 1, number 0b', ...theirs }],
  });
  const shown = await app.inject({ method: 'GET', url: '/conflicts/3' });
  expect(shown.json()).toMatchObject({
    theirs: [{ field: 'finger.0', digest: expect.stringMatching(/^[0-9a-f]{8}$/) as string, ...theirs }],
  });
  for (const encoding of ['utf8', 'base64', 'hex'] as const)
    expect(shown.payload).not.toContain(SECRET.subarray(0, 27).toString(encoding));
});

test('B4 of two who decide at once, one is told that it is decided', async () => {
  const app = await disputed();
  const accept = (take: string) =>
    app.inject({ method: 'POST', url: '/conflicts/1/accept', payload: { take } });
  const answers = await Promise.all([accept('ours'), accept('theirs')]);
  expect(answers.map((answer) => answer.statusCode).sort()).toEqual([200, 409]);
  const refused = answers.find((answer) => answer.statusCode === 409);
  expect(refused?.json()).toMatchObject({ code: 'CONFLICT_DECIDED' });
});

test.each<[string, 'GET' | 'POST', string, object | undefined, number, string]>([
  ['an unknown conflict', 'GET', '/conflicts/9', undefined, 404, 'CONFLICT_UNKNOWN'],
  ['an unknown terminal', 'GET', '/conflicts?terminal=x', undefined, 404, 'TERMINAL_UNKNOWN'],
  ['all of nothing', 'POST', '/conflicts/accept', { take: 'ours' }, 400, 'REQUEST_INVALID'],
  ['a new id for one person', 'POST', '/conflicts/1/accept', { take: 'new-id' }, 409, 'CONFLICT_KIND'],
  ['an unknown side', 'POST', '/conflicts/1/accept', { take: 'mine' }, 400, 'REQUEST_INVALID'],
])('%s is refused, and decides nothing', async (...[, method, url, payload, status, code]) => {
  const app = await disputed();
  const answer = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([status, code]);
  expect((await app.inject({ method: 'GET', url: '/conflicts' })).json()).toHaveLength(3);
});
