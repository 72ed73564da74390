import process from 'node:process';
import { describe, systemClock } from '@whorl/protocol';
import type { Gateway } from './gateway.ts';
import type { HttpFace } from './http/face.ts';
import { Metrics } from './metrics/metrics.ts';
import type { Config } from './settings/config.ts';
import type { Log } from './settings/log.ts';
import type { SitesService } from './sites-service.ts';
import { SharedWork } from './shared-work.ts';
import type { Store } from './store/store.ts';
import { openServiceStore } from './store/thread/service.ts';
import { startWork } from './work.ts';

/** A gateway with its faces, on a real machine. */
export interface Service {
  readonly gateway: Gateway;
  readonly http: HttpFace;
  /** About master and satellites. */
  readonly sites: Pick<SitesService, 'operations'>;
  stop(): Promise<void>;
}

/**
 * Starts everything that a configuration names, or nothing. Of several processes that share a database, the others
 * stand by for what one of them has.
 * @param opening the store, which is closed with the service: whoever began to open it earlier starts sooner
 * @throws WhorlError STORE_*, VAULT_*, GATEWAY_RUNNING, LINE_LISTEN, HTTP_*, MQTT_*
 */
export async function startService(
  config: Config,
  log: Log,
  opening: Promise<Store> = openServiceStore(config, log),
): Promise<Service> {
  const metrics = new Metrics(systemClock, { process: true });
  const opened = await opening;
  const store = metrics.watched(opened);
  try {
    const parts = { config, log, store, metrics };
    const work =
      config.database?.member === undefined
        ? await startWork(parts)
        : await SharedWork.start(parts, systemClock, (error) => {
            log.error({}, `the gateway ends, to be started anew: ${describe(error)}`);
            process.exit(1);
          });
    return {
      get gateway() {
        return work.gateway;
      },
      get http() {
        return work.http;
      },
      get sites() {
        return work.sites;
      },
      async stop() {
        await work.stop();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
