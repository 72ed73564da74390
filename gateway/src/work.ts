import { randomBytes, randomInt } from 'node:crypto';
import { describe, systemClock } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { Audit } from './access/audit.ts';
import { startGateway } from './gateway.ts';
import type { Gateway, GatewayParts } from './gateway.ts';
import { startHttp } from './http/face.ts';
import type { HttpFace } from './http/face.ts';
import type { Metrics } from './metrics/metrics.ts';
import { Jobs } from './jobs/jobs.ts';
import { startRotation } from './jobs/rotation.ts';
import { startMqtt } from './mqtt/face.ts';
import { externalWay } from './mqtt/ways.ts';
import type { Config } from './settings/config.ts';
import type { Log } from './settings/log.ts';
import type { SitesConfig } from './settings/sites.ts';
import { VERSION } from './settings/version.ts';
import { ownedOperations, ownedTasks } from './sites/owned.ts';
import { awaitsUsers, beginRun, openSites } from './sites-service.ts';
import type { SitesService } from './sites-service.ts';
import type { Store } from './store/store.ts';
import { BackingUp } from './sync/backing-up.ts';

const machineRandom: Random = { below: (bound) => randomInt(bound), bytes: (length) => randomBytes(length) };

const STANDALONE: SitesConfig = { role: 'standalone' };

/** What the gateway does by itself, in the audit trail. */
const SELF = { who: 'gateway', place: 'this machine' } as const;

/** Goes on with a change of the master key that was cut off. */
async function resumeRotation(
  parts: Parameters<typeof startRotation>[0] & { readonly store: Store; readonly log: Log },
): Promise<void> {
  const { next, renewing } = await parts.store.vault.status();
  if (next === undefined && renewing === undefined) return;
  parts.log.info({}, 'the change of the master key, or of data keys, that was cut off goes on');
  await startRotation(parts, { who: SELF.who, place: SELF.place });
}

/** Tells of errors that are nobody's who asked. */
function failureLog(log: Log): (error: unknown) => void {
  return (error) => {
    log.error(
      { stack: error instanceof Error ? error.stack : undefined },
      `a request failed: ${describe(error)}`,
    );
  };
}

export interface WorkParts {
  readonly config: Config;
  readonly log: Log;
  /** Stays open. */
  readonly store: Store;
  readonly metrics: Metrics;
  /** Of one of several processes that has not the house: which one has it at each moment. */
  readonly elsewhere?: (() => string) | undefined;
}

/** A gateway with its faces, at work on a store. */
export interface Work {
  readonly gateway: Gateway;
  readonly http: HttpFace;
  readonly sites: SitesService;
  /** Ends all of it; the store stays open. */
  stop(): Promise<void>;
}

/**
 * Starts everything that a configuration names, or nothing. One of several processes that has not the house has no
 * lines, jobs, backups and northbound MQTT: those are where the house is.
 * @throws WhorlError STORE_*, GATEWAY_RUNNING, LINE_LISTEN, HTTP_*, MQTT_*
 */
export async function startWork(parts: WorkParts): Promise<Work> {
  const { config, log, store, metrics, elsewhere } = parts;
  const standby = elsewhere !== undefined;
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (let next = undo.pop(); next !== undefined; next = undo.pop()) await next();
  };
  try {
    const clock = systemClock;
    const random = machineRandom;
    const onFailure = failureLog(log);
    const audit = new Audit(store.audit, clock, onFailure);
    const note: GatewayParts['note'] = (deed) => audit.note(deed, 'done');
    const { site } = config;
    const roles = config.sites ?? STANDALONE;
    await beginRun(store, roles, random);
    const awaits = await awaitsUsers(store, roles);
    const about = { config: site, version: VERSION, store, clock, random, log, note };
    const gateway = await startGateway({ ...about, standby, awaits });
    undo.push(() => gateway.stop());
    const { hub } = gateway;
    const above = roles.master?.name;
    const operations =
      above === undefined ? gateway.operations : ownedOperations(gateway.operations, store, above);
    const tasks = above === undefined ? gateway.tasks : ownedTasks(gateway.tasks, above);
    await audit.note({ ...SELF, deed: 'gateway.start', target: 'gateway' }, 'done');
    // A database that cannot be written keeps nobody from stopping.
    undo.push(() =>
      audit.note({ ...SELF, deed: 'gateway.stop', target: 'gateway' }, 'done').catch(onFailure),
    );
    const jobs = new Jobs({
      ...{ store: store.jobs, clock, onFailure },
      ended: ({ id, kind, who, state }) =>
        audit.note({ who, place: 'job', deed: `jobs.${kind}.end`, target: `job ${id}` }, state),
    });
    if (!standby) await jobs.open();
    undo.push(() => jobs.stop());
    if (!standby) await resumeRotation({ store, jobs, audit, operations, log });
    const sites = await openSites({
      external: config.mqtt.enabled ? config.mqtt.external : undefined,
      ...{ config: roles, name: site.name, site: gateway.site, data: config.data, clock, random, log },
      status: () => gateway.operations.status(),
      member: config.database?.member,
    });
    const faces = { operations, tasks, store, hub, clock, metrics };
    const http = await startHttp({
      ...faces,
      ...{ audit, jobs, sites: sites.face, elsewhere },
      ...{ config: config.http, data: config.data, random, onFailure },
    });
    undo.push(() => http.stop());
    const { external, enabled } = config.mqtt;
    if (standby) sites.start(enabled && external ? { way: () => externalWay(external) } : undefined);
    else if (enabled) {
      const about = { config: config.mqtt, gateway: site.name, dataDir: config.data, sites: sites.broker };
      const face = await startMqtt({ ...faces, audit, log, ...about });
      undo.push(() => face.stop());
      sites.start(face);
    } else sites.start(undefined);
    undo.push(() => sites.stop());
    if (config.backup !== undefined && !standby) {
      const backingUp = new BackingUp({
        store,
        tell: (event) => gateway.tell(event),
        clock,
        log,
        ...{ name: site.name, plan: config.backup },
      });
      backingUp.start();
      undo.push(() => backingUp.stop());
    }
    return { gateway, http, sites, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
