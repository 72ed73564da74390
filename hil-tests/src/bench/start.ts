import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { openStore } from '@whorl/gateway';
import { encodeUser, readRecord } from '@whorl/protocol';
import { fingerUser } from './users.ts';
import { median } from './store.ts';

const CLI = fileURLToPath(import.meta.resolve('@whorl/gateway/cli/main'));
const TOGETHER = 1000;

/** From `whorl start` to the first byte for a terminal, with a full database: a process of its own, as a service starts. */
export async function benchStart({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-bench-'));
  try {
    await fill(join(directory, 'data'), quick ? 10_000 : 100_000);
    const runs: number[] = [];
    for (let run = 0; run < (quick ? 3 : 5); run += 1) runs.push(await startOnce(directory));
    return { 'start.ready_ms': median(runs) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function fill(data: string, users: number): Promise<void> {
  const store = openStore({ data });
  const time = 1_767_225_600_000;
  const { fields } = readRecord(encodeUser(fingerUser(1)));
  const provenance = new Map(
    [...fields.keys()].map((field) => [field, { origin: 'gateway' as const, time }]),
  );
  for (let from = 1; from <= users; from += TOGETHER) {
    await Promise.all(
      Array.from({ length: TOGETHER }, (_, i) =>
        store.saveUser({
          user: from + i,
          from: 0,
          next: { record: { id: from + i, fields }, version: 1, provenance },
          ledger: [
            {
              user: from + i,
              terminal: 'terminal',
              want: 'present',
              state: 'verified',
              version: 1,
              attempts: 0,
              checked: time,
            },
          ],
          events: [],
          time,
        }),
      ),
    );
  }
  await store.close();
}

function startOnce(directory: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let began = 0;
    let child: ReturnType<typeof spawn> | undefined;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        const took = performance.now() - began;
        child?.once('exit', () => {
          server.close();
          resolve(took);
        });
        socket.destroy();
        child?.kill('SIGTERM');
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const config = join(directory, 'whorl.yaml');
      writeFileSync(
        config,
        `data: ./data\nhttp: { port: 0 }\nlines:\n  - name: lab\n    tcp: { host: 127.0.0.1, port: ${port} }\n    terminals: [{ name: terminal }]\n`,
      );
      began = performance.now();
      child = spawn(process.execPath, [CLI, 'start', '--config', config], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      child.once('error', reject);
    });
  });
}
