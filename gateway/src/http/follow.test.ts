import { get } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { NewEvent } from '../events/catalogue.ts';
import { expect, onTestFinished, test } from 'vitest';
import { api } from './testing/bench.ts';
import type { Bench } from './testing/bench.ts';

const offline = (terminal: string, time = 1): NewEvent => ({
  type: 'terminal.offline',
  time,
  terminal,
  data: { reason: 'no power' },
});

async function say(bench: Bench, events: readonly NewEvent[]): Promise<void> {
  bench.gateway.hub.publish(await bench.gateway.store.addEvents(events));
}

/** An endless answer, read line by line. */
async function lines(
  bench: Bench,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ next: (wanted: (line: string) => boolean) => Promise<string>; close: () => void }> {
  if (!bench.app.server.listening) await bench.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = bench.app.server.address() as AddressInfo;
  const asked = get({ host: '127.0.0.1', port, path, headers });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const held: string[] = [];
  let rest = '';
  let wake = (): void => {};
  answer.on('data', (piece: Buffer) => {
    const parts = (rest + piece.toString()).split('\n');
    rest = parts.pop() ?? '';
    held.push(...parts);
    wake();
  });
  onTestFinished(() => void asked.destroy());
  return {
    async next(wanted) {
      for (;;) {
        const line = held.shift();
        if (line === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else if (wanted(line)) return line;
      }
    },
    close: () => void asked.destroy(),
  };
}

test('G4 who follows gets what was stored and what comes, each once and in order, also beyond a page', async () => {
  const bench = await api();
  await say(
    bench,
    Array.from({ length: 450 }, (_, n) => offline('a', n)),
  );
  const told = await lines(bench, '/events?follow=true&type=terminal.offline&limit=10');
  await say(bench, [offline('b', 450)]);
  const times: number[] = [];
  while (times.length < 451)
    times.push((JSON.parse(await told.next((line) => line !== '')) as { time: number }).time);
  expect(times).toEqual(Array.from({ length: 451 }, (_, n) => n));
});

test('G4 server-sent events go on where somebody was cut off', async () => {
  const bench = await api();
  await say(bench, [offline('a'), offline('b')]);
  const headers = { accept: 'text/event-stream' };
  const path = '/events?follow=true&type=terminal.offline&last=1';
  const first = await lines(bench, path, headers);
  const id = (await first.next((line) => line.startsWith('id: '))).slice(4);
  expect(await first.next((line) => line.startsWith('data: '))).toContain('"terminal":"b"');
  first.close();
  await say(bench, [offline('c'), offline('d')]);
  const second = await lines(bench, path, { ...headers, 'last-event-id': id });
  expect(await second.next((line) => line.startsWith('data: '))).toContain('"terminal":"c"');
  expect(await second.next((line) => line.startsWith('data: '))).toContain('"terminal":"d"');
});
