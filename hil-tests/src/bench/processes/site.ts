import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { loadConfig, makeLog, openStore, silentLog, startGateway, startService } from '@whorl/gateway';
import type { Service, Store } from '@whorl/gateway';
import { deriveKey } from '@whorl/gateway/access/password';
import { Connection } from '@whorl/gateway/mqtt/connection';
import { brokerWire } from '@whorl/gateway/mqtt/ways';
import { siteClients, siteTopic } from '@whorl/gateway/sites/broker-names';
import { SiteList } from '@whorl/gateway/sites/list';
import { brokerPassword, verifierOf } from '@whorl/gateway/sites/secrets';
import { mergePulled } from '@whorl/gateway/sync/pulled';
import { encodeUser, readRecord, seededRandom, sleep, systemClock } from '@whorl/protocol';
import type { Capabilities } from '@whorl/protocol';
import { fingerUser } from '../users.ts';
import { serve } from './process.ts';
import { MASTER, PASSWORD, siteName } from './site-names.ts';

const TOGETHER = 500;
const LOOK_MS = 20;

/** A gateway of many, as `whorl start` runs it, in a process of its own. */
export interface SiteApi {
  /** Master: with so many finger users, and these satellites in its list. */
  fill(given: { directory: string; users: number; sites: number }): Promise<void>;
  /** Satellite: so many people were enrolled at its terminals, and so many came, while the master was away. */
  /** @returns events that there are to tell the master */
  enrol(given: { directory: string; syncId: number; users: number; events: number }): Promise<number>;
  start(given: { directory: string; syncId: number; port: number }): Promise<void>;
  state(given: null): Promise<SiteState>;
  /** Master: waits until it has so many events of a satellite. @returns milliseconds since the satellite was there */
  taken(given: { syncId: number; events: number }): Promise<number>;
  /** Messages of QoS 1 that the broker takes and passes on in a second, so many under way at once. */
  raw(given: { port: number; syncId: number; messages: number; atOnce: number }): Promise<number>;
}

export interface SiteState {
  readonly users: number;
  /** Satellite: all that belongs here is here. */
  readonly complete: boolean;
  /** Satellite: of the last exchange that ended well. */
  readonly tookMs: number | undefined;
  readonly trouble: string | undefined;
  readonly cpuMs: number;
  readonly atMs: number;
  readonly rssMb: number;
}

const EVERYTHING: Capabilities = {
  ...{ users: 100_000, logs: 10_000, cards: 8, fingers: 10, faces: 5 },
  ...{ cardFormats: [1], fingerFormats: [1], faceFormats: [1], mtu: 1100, window: 1 },
  does: { patches: true, portable: false, clock: true },
  holds: { validity: true, pin: true, authMode: true, groups: true, photo: true },
};

let service: Service | undefined;

async function fill({ directory, users, sites }: Parameters<SiteApi['fill']>[0]): Promise<void> {
  const store = openStore({ data: join(directory, 'data') });
  const time = systemClock.wallTime();
  for (let from = 1; from <= users; from += TOGETHER)
    await Promise.all(
      Array.from({ length: Math.min(TOGETHER, users - from + 1) }, (_, i) => putUser(store, from + i, time)),
    );
  const list = new SiteList({ store: store.sites, derive: deriveKey, master: MASTER });
  for (let syncId = 2; syncId < sites + 2; syncId += 1) {
    const name = siteName(syncId);
    await list.add({ syncId, name, url: '', user: name, password: PASSWORD });
  }
  await store.close();
}

function putUser(store: Store, id: number, time: number): Promise<unknown> {
  const { fields } = readRecord(encodeUser(fingerUser(id)));
  const provenance = new Map(
    [...fields.keys()].map((field) => [field, { origin: 'gateway' as const, time }]),
  );
  const next = { record: { id, fields }, version: 1, provenance };
  return store.saveUser({ user: id, from: 0, next, ledger: [], events: [], time });
}

async function enrol({ directory, syncId, users, events }: Parameters<SiteApi['enrol']>[0]): Promise<number> {
  const store = openStore({ data: join(directory, 'data') });
  await store.sites.begin('satellite', 'enrolling');
  const gateway = await startGateway({
    ...{ config: { name: siteName(syncId), lines: [] }, version: '0', store, clock: systemClock },
    ...{ random: seededRandom(1), log: silentLog },
  });
  const time = systemClock.wallTime();
  await Promise.all(
    Array.from({ length: users }, (_, index) => {
      const user = 1_000_000 + index;
      const record = readRecord(encodeUser(fingerUser(user)));
      const pull = { user, terminal: `door-${1 + (index % 5)}`, log: index + 1, changed: time };
      return mergePulled(gateway.site, pull, record, EVERYTHING);
    }),
  );
  for (let from = 0; from < events; from += TOGETHER)
    await store.addEvents(
      Array.from({ length: Math.min(TOGETHER, events - from) }, (_, i) => ({
        ...{ type: 'access.granted' as const, time, terminal: 'door-1', user: 1 + ((from + i) % 500) },
        data: { log: from + i + 1, at: time },
      })),
    );
  await gateway.stop();
  const { events: last } = await store.sites.heads();
  await store.close();
  return last;
}

async function start({ directory, syncId, port }: Parameters<SiteApi['start']>[0]): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 });
  const name = syncId === 1 ? MASTER : siteName(syncId);
  const url = `mqtt://127.0.0.1:${port}`;
  const roles =
    syncId === 1
      ? { mqtt: { enabled: true, port }, site: { role: 'master' } }
      : { site: { role: 'satellite', syncId, master: { name: MASTER, url, user: name, passwordFile } } };
  const file = join(directory, 'whorl.yaml');
  writeFileSync(file, JSON.stringify({ gateway: { name }, http: { port: 0 }, lines: [], ...roles }));
  service = await startService(loadConfig(file), makeLog('warn', true));
}

async function state(): Promise<SiteState> {
  if (service === undefined) throw new Error('not started');
  const { gateway, sites } = service;
  const { master } = await sites.operations.status();
  const { user, system } = process.cpuUsage();
  return {
    users: await gateway.store.countUsers(),
    complete: master?.complete === true,
    tookMs: master?.step === undefined ? master?.tookMs : undefined,
    trouble: master?.trouble?.text,
    ...{ cpuMs: (user + system) / 1000, atMs: performance.now(), rssMb: process.memoryUsage().rss / 1e6 },
  };
}

async function taken({ syncId, events }: Parameters<SiteApi['taken']>[0]): Promise<number> {
  if (service === undefined) throw new Error('not started');
  const { gateway, sites } = service;
  let began: number | undefined;
  for (;;) {
    const one = (await sites.operations.status()).sites?.find((site) => site.syncId === syncId);
    if (one?.online === true) began ??= performance.now();
    const cursor = await gateway.store.sites.cursor(syncId, 'events');
    if (began !== undefined && cursor !== undefined && cursor.seq >= events) return performance.now() - began;
    await sleep(systemClock, LOOK_MS);
  }
}

/** As a satellite that says over and over how it is: the master takes no notice of what it knows. */
async function raw({ port, syncId, messages, atOnce }: Parameters<SiteApi['raw']>[0]): Promise<number> {
  const user = siteName(syncId);
  const verifier = await verifierOf(deriveKey, PASSWORD, { master: MASTER, syncId, user });
  const password = brokerPassword(verifier);
  const topic = siteTopic(MASTER, syncId, 'state');
  const connection = await Connection.open({
    ...{
      wire: brokerWire(`mqtt://127.0.0.1:${port}`, undefined),
      login: { user, password: password },
    },
    ...{
      clientId: `${siteClients(syncId, password)}x`,
      will: { topic, payload: 'offline' },
      clock: systemClock,
    },
    ...{ onMessage: () => undefined, signal: new AbortController().signal },
  });
  let left = messages;
  const began = performance.now();
  const work = async (): Promise<void> => {
    for (; left > 0;) {
      left -= 1;
      await connection.publish(topic, 'offline');
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const ms = performance.now() - began;
  await connection.end();
  return (messages * 1000) / ms;
}

serve<SiteApi>({ fill, enrol, start, state, taken, raw }, async () => service?.stop());
