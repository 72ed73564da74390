import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineInRealTime, openStore, silentLog, startGateway } from '@whorl/gateway';
import { seededRandom, sleep, systemClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { untilBy } from './parts.ts';
import { pairRest } from './ports.ts';
import type { Site } from './site.ts';

test('E8 of a terminal that does not answer the reason is told that the gateway has', async () => {
  const data = mkdtempSync(join(tmpdir(), 'whorl-ports-'));
  const store = openStore({ data, ground: machineInRealTime });
  const path = join(data, 'nothing.line');
  const over = { kind: 'serial', path, baud: 115_200, turnaroundMs: 1, latencyMs: 60 } as const;
  const terminals = [{ name: 'terminal-1', address: 1, groups: [] }];
  const gateway = await startGateway({
    config: { name: 'rig', lines: [{ name: 'floor', over, terminals }] },
    ...{ version: '0.0.0', store, clock: systemClock, random: seededRandom(1), log: silentLog },
  });
  onTestFinished(async () => {
    await gateway.stop();
    await store.close();
    rmSync(data, { recursive: true });
  });
  const pass = (ms: number): Promise<void> => sleep(systemClock, ms);
  const until = untilBy({ clock: systemClock, pass, lookMs: 10, patienceMs: 300 });
  const site = { gateway, names: ['terminal-1'], until } as unknown as Site;
  await expect(pairRest(site)).rejects.toThrow(/terminal-1 answers: .*nothing\.line is not there/);
});
