import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hash } from 'node:crypto';
import { systemClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { api } from './testing/bench.ts';
import type { Bench } from './testing/bench.ts';

const PASSWORD = 'correct horse battery';
const STREAMS = ['/events?follow=true', '/lines/floor/traffic'];

async function site(): Promise<Bench> {
  const bench = await api([
    {
      name: 'floor',
      over: { kind: 'tcp', host: '127.0.0.1', port: 9, turnaroundMs: 0, latencyMs: 1 },
      terminals: [],
    },
  ]);
  for (const [name, role] of [
    ['root', 'admin'],
    ['ada', 'installer'],
  ] as const)
    await bench.access.addAccount({ name, role, password: PASSWORD });
  return bench;
}

/** An endless answer; resolves once it has begun. @returns resolves when it ends */
async function opened(
  bench: Bench,
  path: string,
  token: string,
): Promise<{ readonly end: Promise<unknown> }> {
  if (!bench.network.server.listening) await bench.network.listen({ host: '127.0.0.1', port: 0 });
  const { port } = bench.network.server.address() as AddressInfo;
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
  const asked = get({ host: '127.0.0.1', port, path, headers });
  onTestFinished(() => void asked.destroy());
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  answer.resume();
  return { end: once(answer, 'end') };
}

const deeds: [string, (bench: Bench) => Promise<unknown>][] = [
  ['the token is revoked', async ({ access }) => access.revoke((await access.tokens())[0]?.id ?? '')],
  ['the account is removed', ({ access }) => access.removeAccount('ada')],
  ['the password is changed', ({ access }) => access.changeAccount('ada', { password: `${PASSWORD} 2` })],
  ['the role is lowered', ({ access }) => access.changeAccount('ada', { role: 'viewer' })],
];

test.each(deeds)('G6 what is followed, events and lines, ends at once when %s', async (_, deed) => {
  const bench = await site();
  const { token } = await bench.access.login('ada', PASSWORD, 'here');
  const streams = await Promise.all(STREAMS.map((path) => opened(bench, path, token)));
  await deed(bench);
  await Promise.all(streams.map(({ end }) => end));
});

test('G6 what is followed ends when the token expires; a session that was renewed goes on', async () => {
  const bench = await site();
  const { store } = bench.gateway;
  const now = systemClock.wallTime();
  const short = { account: 'ada', kind: 'session', label: 'x', role: 'installer', created: now } as const;
  const add = (id: string, secret: string): Promise<void> =>
    store.access.addToken(
      { ...short, id, expires: now + 1500, ends: now + 60_000 },
      { secret: hash('sha256', secret, 'buffer'), refresh: hash('sha256', `r${secret}`, 'buffer') },
    );
  await add('aa', 'whorl_one');
  await add('bb', 'whorl_two');
  const streams = await Promise.all(STREAMS.map((path) => opened(bench, path, 'whorl_one')));
  const renewed = await opened(bench, '/events?follow=true', 'whorl_two');
  const { token } = await bench.access.refresh('rwhorl_two');
  await Promise.all(streams.map(({ end }) => end));
  expect(systemClock.wallTime()).toBeGreaterThanOrEqual(now + 1500);
  const still = await Promise.race([renewed.end.then(() => 'ended'), Promise.resolve('open')]);
  expect(still).toBe('open');
  await bench.access.revoke((await bench.access.callerOf(token)).token ?? '');
  await renewed.end;
});
