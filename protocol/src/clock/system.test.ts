import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { systemClock } from './system.ts';

test('a timer of the system clock is never early, by the clock itself', async () => {
  const early = await Promise.all(
    Array.from(
      { length: 200 },
      (_, i) =>
        new Promise<boolean>((resolve) => {
          const due = systemClock.now() + i / 7;
          systemClock.after(due - systemClock.now(), () => {
            resolve(systemClock.now() < due);
          });
        }),
    ),
  );
  expect(early.filter(Boolean)).toEqual([]);
});

test('what has arrived in time is heard before its deadline, though the process was held up past it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  const [terminal] = (await once(server, 'connection')) as [Socket];
  const order: string[] = [];
  client.once('data', () => order.push('heard'));
  const over = new Promise<void>((resolve) => {
    systemClock.after(10, () => {
      order.push('overdue');
      resolve();
    });
  });
  terminal.write('answer');
  const until = systemClock.now() + 50;
  while (systemClock.now() < until);
  await over;
  expect(order).toEqual(['heard', 'overdue']);
  client.destroy();
  terminal.destroy();
  server.close();
});

test('a process ends when its last timer has fired or was cancelled', () => {
  const script = `
    import { systemClock } from ${JSON.stringify(fileURLToPath(import.meta.resolve('./system.ts')))};
    const cancel = systemClock.after(60_000, () => undefined);
    systemClock.after(5, () => systemClock.after(5, cancel));`;
  const { status } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    timeout: 20_000,
  });
  expect(status).toBe(0);
});
