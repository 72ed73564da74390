import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { VirtualClock } from '@whorl/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { silentLog } from '../../settings/log.ts';
import { DialIn } from './dial-in.ts';

const SERIAL = 'WX-000007';
/** For what many connections take on a busy machine. */
const PATIENCE = { timeout: 15_000 };

/** A terminal that is in use, and another connection that claims to be the same. */
async function contest(): Promise<{
  clock: VirtualClock;
  first: Socket;
  second: Socket;
  opened: () => number;
  received: () => number;
}> {
  const clock = new VirtualClock();
  let greeted = 0;
  const greet = (): Promise<string> => {
    greeted += 1;
    return Promise.resolve(SERIAL);
  };
  const server = new DialIn({ greet, clock, log: silentLog, unknown: () => undefined });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  const stop = new AbortController();
  let opened = 0;
  let received = 0;
  const ignore = (): void => undefined;
  const open = async (): Promise<void> => {
    const count = (bytes: number): void => void (received += bytes);
    const events = { frame: ignore, received: count, discarded: ignore, closed: () => void open() };
    await server.transportOf(SERIAL)(events, stop.signal);
    opened += 1;
  };
  void open().catch(ignore);
  const first = connect(port, '127.0.0.1');
  await vi.waitUntil(() => opened === 1, PATIENCE);
  const second = connect(port, '127.0.0.1');
  await vi.waitUntil(() => greeted === 2, PATIENCE);
  onTestFinished(async () => {
    stop.abort();
    for (const socket of [first, second]) socket.destroy();
    await server.close();
  });
  return { clock, first, second, opened: () => opened, received: () => received };
}

test('G2 G3 who claims to be a terminal that still answers is sent away', async () => {
  const { clock, first, second, opened, received } = await contest();
  second.resume();
  first.write(Uint8Array.of(1, 2, 0));
  await vi.waitUntil(() => received() === 3, PATIENCE);
  await clock.run({ forMs: 2_500 });
  await vi.waitUntil(() => second.closed, PATIENCE);
  expect([first.closed, opened()]).toEqual([false, 1]);
});

test('G2 a terminal that dials again is taken up when nothing comes over its old connection', async () => {
  const { clock, first, second, opened } = await contest();
  first.resume();
  await clock.run({ forMs: 2_500 });
  await vi.waitUntil(() => first.closed && opened() === 2, PATIENCE);
  expect(second.closed).toBe(false);
});

test('G2 of a crowd that dials at once nobody is sent away, and each is greeted in its turn', async () => {
  const crowd = 1_200;
  const waiting: (() => void)[] = [];
  const greet = (): Promise<string> =>
    new Promise((resolve) => {
      waiting.push(() => resolve(SERIAL));
    });
  const server = new DialIn({ greet, clock: new VirtualClock(), log: silentLog, unknown: () => undefined });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  let closed = 0;
  const sockets = Array.from({ length: crowd }, () =>
    connect(port, '127.0.0.1').on('close', () => (closed += 1)),
  );
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
  });
  await vi.waitUntil(
    () => sockets.every(({ readyState }) => readyState === 'open') && waiting.length > 1_000,
    PATIENCE,
  );
  expect([closed, waiting.length < crowd]).toEqual([0, true]);
  for (const answer of waiting) answer();
  await vi.waitUntil(() => waiting.length === crowd, PATIENCE);
}, 30_000);
