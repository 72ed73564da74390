import type { FastifyInstance } from 'fastify';
import { seededRandom, systemClock } from '@whorl/protocol';
import { onTestFinished } from 'vitest';
import { Access } from '../../access/access.ts';
import { Audit } from '../../access/audit.ts';
import { startGateway } from '../../gateway.ts';
import type { Gateway } from '../../gateway.ts';
import { Jobs } from '../../jobs/jobs.ts';
import { Metrics } from '../../metrics/metrics.ts';
import { silentLog } from '../../settings/log.ts';
import type { LineConfig } from '../../settings/site.ts';
import { openSites } from '../../sites-service.ts';
import type { SitesFace } from '../../sites/face.ts';
import { openStore } from '../../store/open.ts';
import { buildApi } from '../api.ts';

/** A gateway without lines, in memory, and its API. */
export interface Bench {
  /** On the local socket. */
  readonly app: FastifyInstance;
  /** By address. */
  readonly network: FastifyInstance;
  readonly access: Access;
  readonly audit: Audit;
  readonly gateway: Gateway;
  readonly sites: SitesFace;
  /** What was none of the caller's fault. */
  readonly failures: unknown[];
}

/** What a gateway without others says of them. */
export async function standalone({ site, operations }: Gateway): Promise<SitesFace> {
  const about = { config: { role: 'standalone' } as const, name: 'hq', site, data: '', log: silentLog };
  const random = seededRandom(3);
  const sites = await openSites({ ...about, clock: systemClock, random, status: () => operations.status() });
  return sites.face;
}

/** @param lines none unless given */
export async function api(lines: readonly LineConfig[] = []): Promise<Bench> {
  const store = openStore({ data: { memory: true } });
  const gateway = await startGateway({
    config: { name: 'hq', lines },
    version: '0',
    store,
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
  });
  const failures: unknown[] = [];
  const { operations, tasks, hub } = gateway;
  const access = new Access({ store: store.access, clock: systemClock, random: seededRandom(2) });
  const metrics = new Metrics(systemClock, { process: false });
  const audit = new Audit(store.audit, systemClock, (error) => failures.push(error));
  const jobs = new Jobs({
    ...{ store: store.jobs, clock: systemClock, ended: () => Promise.resolve() },
    onFailure: (error) => failures.push(error),
  });
  const sites = await standalone(gateway);
  const parts = {
    ...{
      operations,
      sites,
      tasks,
      store,
      hub,
      clock: systemClock,
      access,
      audit,
      metrics,
      jobs,
      api: () => undefined,
    },
    onFailure: (error: unknown) => void failures.push(error),
  };
  const app = buildApi({ ...parts, door: 'local' });
  const network = buildApi({ ...parts, door: 'network' });
  onTestFinished(async () => {
    await jobs.stop();
    await app.close();
    await network.close();
    await gateway.stop();
    await store.close();
  });
  return { app, network, access, audit, gateway, sites, failures };
}
