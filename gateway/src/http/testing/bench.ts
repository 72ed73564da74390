import type { FastifyInstance } from 'fastify';
import { seededRandom, systemClock } from '@whorl/protocol';
import { onTestFinished } from 'vitest';
import { startGateway } from '../../gateway.ts';
import type { Gateway } from '../../gateway.ts';
import { silentLog } from '../../settings/log.ts';
import { openStore } from '../../store/open.ts';
import { buildApi } from '../api.ts';

/** A gateway without lines, in memory, and its API. */
export interface Bench {
  readonly app: FastifyInstance;
  readonly gateway: Gateway;
  /** What was none of the caller's fault. */
  readonly failures: unknown[];
}

export async function api(): Promise<Bench> {
  const store = openStore({ data: { memory: true } });
  const gateway = await startGateway({
    config: { name: 'hq', lines: [] },
    version: '0',
    store,
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
  });
  const failures: unknown[] = [];
  const { operations, hub } = gateway;
  const app = buildApi({
    operations,
    store,
    hub,
    clock: systemClock,
    onFailure: (error) => failures.push(error),
  });
  onTestFinished(async () => {
    await app.close();
    await gateway.stop();
    await store.close();
  });
  return { app, gateway, failures };
}
