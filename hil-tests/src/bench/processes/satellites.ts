import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, silentLog, startGateway } from '@whorl/gateway';
import { beginRun, openSites } from '@whorl/gateway/sites-service';
import type { SitesService } from '@whorl/gateway/sites-service';
import type { SitesConfig } from '@whorl/gateway/settings/sites';
import { seededRandom, systemClock } from '@whorl/protocol';
import { serve } from './process.ts';
import { MASTER, PASSWORD, siteName } from './site-names.ts';

/** Many satellites in one process, each with a store in memory and a connection of its own to the master's broker. */
export interface SatellitesApi {
  /** Sync ids from 2 on. @returns once each has had its first exchange */
  start(given: { count: number; port: number }): Promise<void>;
  /** So many exchanges of each, one after the other. */
  exchange(given: { times: number }): Promise<void>;
}

const directory = mkdtempSync(join(tmpdir(), 'whorl-satellites-'));
const services: SitesService[] = [];
const ends: (() => Promise<unknown>)[] = [];

async function start({ count, port }: Parameters<SatellitesApi['start']>[0]): Promise<void> {
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 });
  for (let syncId = services.length + 2; syncId < count + 2; syncId += 1) {
    const name = siteName(syncId);
    mkdirSync(join(directory, name));
    const store = openStore({ data: { memory: true } });
    const random = seededRandom(syncId * 1_000_003 + process.pid);
    const url = `mqtt://127.0.0.1:${port}`;
    const config: SitesConfig = {
      ...{ role: 'satellite', syncId },
      master: { name: MASTER, url, user: name, passwordFile },
    };
    await beginRun(store, config, random);
    const about = { store, clock: systemClock, random, log: silentLog };
    const gateway = await startGateway({ ...about, config: { name, lines: [] }, version: '0' });
    const service = await openSites({
      ...{ config, name, site: gateway.site, data: join(directory, name), clock: systemClock, random },
      ...{ log: silentLog, status: () => gateway.operations.status() },
    });
    await service.operations.changeSettings({ intervalMinutes: 0, continuous: false });
    await service.operations.sync({ release: false });
    services.push(service);
    ends.push(() => service.stop().then(() => gateway.stop()));
  }
}

async function exchange({ times }: Parameters<SatellitesApi['exchange']>[0]): Promise<void> {
  for (let done = 0; done < times; done += 1)
    for (const { operations } of services) await operations.sync({ release: false });
}

serve<SatellitesApi>({ start, exchange }, async () => {
  for (const end of ends) await end();
  rmSync(directory, { recursive: true, force: true });
});
