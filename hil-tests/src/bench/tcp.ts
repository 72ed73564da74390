import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep, systemClock } from '@whorl/protocol';
import type { GatewayApi } from './processes/gateway.ts';
import { startHelper } from './processes/process.ts';
import type { TerminalsApi } from './processes/terminals.ts';

/** Path of a process's module. */
export const modulePath = (name: string): string =>
  fileURLToPath(new URL(`./processes/${name}.ts`, import.meta.url));

/**
 * Terminals on TCP that do nothing but answer: what the gateway needs of a core to keep the round, in a process of its
 * own, and how soon each poll is answered. Quick: 100 terminals, scaled up: it shows
 * that the benchmark runs, and no figure.
 */
export async function benchTcp({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  const count = quick ? 100 : 10_000;
  const forMs = quick ? 2_000 : 30_000;
  const directory = mkdtempSync(join(resolve('.'), '.bench-'));
  const gateway = startHelper<GatewayApi>(modulePath('gateway'));
  const terminals = startHelper<TerminalsApi>(modulePath('terminals'));
  try {
    const port = await freePort();
    await gateway.ask('start', { directory, terminals: count, port });
    await terminals.ask('start', { count, port, logs: 100 });
    for (;;) {
      const { online } = await gateway.ask('state', null);
      process.stderr.write(`tcp: ${online} of ${count} online\n`);
      if (online === count) break;
      await sleep(systemClock, 1_000);
    }
    await sleep(systemClock, forMs / 4);
    await gateway.ask('sample', { every: Math.ceil(count / 500) });
    const before = await gateway.ask('state', null);
    await sleep(systemClock, forMs);
    const after = await gateway.ask('state', null);
    const times = await gateway.ask('sampled', null);
    const ms = after.atMs - before.atMs;
    const polls = after.exchanges - before.exchanges;
    const missed = after.timeouts - before.timeouts;
    process.stderr.write(
      `tcp: ${Math.round((1000 * polls) / ms)} polls a second, ${missed} missed, ${after.online} online, ${Math.round(after.rssMb)} MB\n`,
    );
    const core = ((after.cpuMs - before.cpuMs) / ms) * (10_000 / count);
    return { 'tcp.10k_core': core, 'tcp.10k_p99_ms': missed === 0 ? quantile(times, 0.99) : Infinity };
  } finally {
    await Promise.all([gateway.end(), terminals.end()]);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
