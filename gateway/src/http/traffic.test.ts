import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { systemClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import type { Listener } from '../lines/taps.ts';
import { tellTraffic } from './traffic.ts';
import type { Crossing } from './traffic.ts';

test('G4 who reads a line too slowly loses pieces and is told how many; nobody waits for them', async () => {
  const listeners = new Set<Listener>();
  const app = fastify({ forceCloseConnections: true });
  app.get('/', (_request, reply) => {
    tellTraffic({
      reply,
      clock: systemClock,
      sse: false,
      listen: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      onFailure: (error) => {
        throw error;
      },
    });
    // All at once: none of it can have been written before the last one came.
    for (let i = 0; i < 2005; i += 1)
      for (const listener of listeners) listener(Uint8Array.of(i & 0xff, 0), 'to-terminal');
    return reply;
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  let text = '';
  const { port } = app.server.address() as AddressInfo;
  const asked = get({ host: '127.0.0.1', port }, (answer) => {
    answer.on('data', (piece: Buffer) => (text += piece.toString()));
    answer.on('error', () => undefined);
  });
  const told = (): Crossing[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Crossing);
  await expect.poll(() => told().length).toBe(2000);
  for (const listener of listeners) listener(Uint8Array.of(7, 0), 'to-gateway');
  await expect.poll(() => told().length).toBe(2001);
  expect(told()[1]).toMatchObject({ direction: 'to-terminal', bytes: '0100' });
  expect(told().at(-1)).toMatchObject({ direction: 'to-gateway', bytes: '0700', lost: 5 });
  asked.destroy();
  await expect.poll(() => listeners.size).toBe(0);
});
