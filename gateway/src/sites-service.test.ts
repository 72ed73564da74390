import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, systemClock } from '@whorl/protocol';
import { connectAsync } from 'mqtt';
import { expect, onTestFinished, test, vi } from 'vitest';
import { deriveKey } from './access/password.ts';
import { startGateway } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { startMqtt } from './mqtt/face.ts';
import type { MqttFace } from './mqtt/face.ts';
import { silentLog } from './settings/log.ts';
import type { SitesConfig } from './settings/sites.ts';
import { besiege } from './mqtt/testing/siege.ts';
import { siteClients } from './sites/broker-names.ts';
import { brokerPassword, verifierOf } from './sites/secrets.ts';
import { beginRun, openSites } from './sites-service.ts';
import type { SitesService } from './sites-service.ts';
import { openStore } from './store/open.ts';

/** A machine may have much else to do. */
const PATIENCE = { timeout: 10_000 };

const PASSWORD = 'correct horse battery';

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-sites-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let seed = 0;

async function gatewayOf(
  name: string,
  config: SitesConfig,
): Promise<{ gateway: Gateway; sites: SitesService; data: string }> {
  const data = scratch();
  const store = openStore({ data: { memory: true } });
  seed += 1;
  const random = seededRandom(seed);
  const about = { store, clock: systemClock, random, log: silentLog };
  await beginRun(store, config, random);
  const gateway = await startGateway({ ...about, config: { name, lines: [] }, version: '0' });
  const sites = await openSites({
    ...{ config, name, site: gateway.site, data, clock: systemClock, random, log: silentLog },
    status: () => gateway.operations.status(),
  });
  onTestFinished(async () => {
    await sites.stop();
    await gateway.stop();
    await store.close();
  });
  return { gateway, sites, data };
}

async function headquarters(): Promise<{ gateway: Gateway; sites: SitesService; face: MqttFace }> {
  const hq = await gatewayOf('hq', { role: 'master', syncId: 1 });
  const { operations, tasks, store, hub } = hq.gateway;
  const face = await startMqtt({
    ...{ operations, tasks, store, hub, clock: systemClock, log: silentLog, gateway: 'hq', dataDir: hq.data },
    config: { enabled: true, host: '127.0.0.1', port: 0 },
    audit: { act: (_deed, work) => work() },
    sites: hq.sites.broker,
  });
  onTestFinished(() => face.stop());
  hq.sites.start(face);
  return { ...hq, face };
}

function satellite(name: string, syncId: number, url: string): ReturnType<typeof gatewayOf> {
  const passwordFile = join(scratch(), 'password');
  writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
  const master = { name: 'hq', url, user: name, passwordFile };
  return gatewayOf(name, { role: 'satellite', syncId, master });
}

const EVERYBODY = { url: '', password: PASSWORD } as const;

test('S4 S12 over the embedded broker a satellite gets the users, as they change', async () => {
  const hq = await headquarters();
  await hq.sites.operations.add({ ...EVERYBODY, syncId: 2, name: 'north', user: 'north' });
  const north = await satellite('north', 2, hq.face.brokerUrl ?? '');
  await hq.gateway.operations.addUser(1, { set: { name: 'Ada' }, clear: [] });
  north.sites.start(undefined);
  await vi.waitFor(async () => expect(await north.gateway.store.countUsers()).toBe(1), 20_000);
  await hq.gateway.operations.addUser(2, { set: { name: 'Bo' }, clear: [] });
  await vi.waitFor(async () => expect(await north.gateway.store.countUsers()).toBe(2), 20_000);
  await vi.waitFor(async () => {
    const [site] = (await hq.sites.operations.status()).sites ?? [];
    expect(site).toMatchObject({
      name: 'north',
      online: true,
      held: 2,
      success: expect.any(Number) as number,
    });
  }, 20_000);
  const events = await hq.sites.operations.events({ site: 2, type: 'user.added', limit: 10 });
  expect(events.map(({ user }) => user)).toContain(1);
  await north.sites.stop();
  await vi.waitFor(async () => {
    const [site] = (await hq.sites.operations.status()).sites ?? [];
    expect(site?.online).toBe(false);
  }, 20_000);
}, 60_000);

test('S1 S2 S3 an unknown site, a second one with the sync id of another, and a wrong password do not get past the broker, and the satellite says so', async () => {
  const hq = await headquarters();
  const north = await satellite('north', 2, hq.face.brokerUrl ?? '');
  await expect(north.sites.operations.sync({ release: false })).rejects.toMatchObject({
    code: 'SITES_PASSWORD',
  });
  const refused = await hq.gateway.store.events({ type: 'site.refused', limit: 10 });
  expect(refused).toMatchObject([{ data: { site: 'sync id 2', code: 'SITES_UNKNOWN' } }]);
  expect(await hq.sites.operations.status()).toMatchObject({
    strangers: [{ syncId: 2, user: 'north', from: '127.0.0.1', code: 'SITES_UNKNOWN' }],
  });
  await hq.sites.operations.add({ ...EVERYBODY, syncId: 2, name: 'north', user: 'north' });
  const [added] = (await hq.sites.operations.status()).sites ?? [];
  expect(added, 'not seen yet').toMatchObject({ name: 'north', online: false });
  expect(added, 'what was before it was in the list is over').not.toHaveProperty('trouble');
  await expect(north.sites.operations.sync({ release: false })).resolves.toBeUndefined();
  expect((await hq.sites.operations.status()).strangers).toEqual([]);
  const accepted = await hq.gateway.store.events({ type: 'site.accepted', limit: 10 });
  expect(accepted).toMatchObject([{ data: { site: 'north', code: 'SITES_UNKNOWN' } }]);
  const { master } = await north.sites.operations.status();
  expect(master).toMatchObject({ online: true, since: expect.any(Number) as number });
  await hq.sites.operations.remove('north');
  await expect(north.sites.operations.sync({ release: false })).rejects.toMatchObject({
    code: 'SITES_PASSWORD',
  });
  await vi.waitFor(async () => {
    const [stranger] = (await hq.sites.operations.status()).strangers ?? [];
    expect(stranger).toMatchObject({ syncId: 2, was: 'north', user: 'north' });
  }, PATIENCE);
  await hq.sites.operations.add({ ...EVERYBODY, syncId: 2, name: 'north', user: 'north' });
  await expect(
    hq.sites.operations.add({ ...EVERYBODY, syncId: 2, name: 'south', user: 'south' }),
  ).rejects.toMatchObject({ code: 'SITES_EXISTS' });
}, 60_000);

test('S12 a site can neither read nor write another’s topics, nor take its place or the master’s', async () => {
  const hq = await headquarters();
  await hq.sites.operations.add({ ...EVERYBODY, syncId: 2, name: 'north', user: 'north' });
  await hq.sites.operations.add({ ...EVERYBODY, syncId: 3, name: 'south', user: 'south' });
  const verifier = await verifierOf(deriveKey, PASSWORD, { master: 'hq', syncId: 3, user: 'south' });
  const password = brokerPassword(verifier);
  const login = { username: 'south', password, reconnectPeriod: 0 };
  const url = hq.face.brokerUrl ?? '';
  for (const clientId of [
    `${siteClients(2, password)}x`,
    'whorl-site-3',
    'whorl-hq',
    'whorl-hq-sites',
    'anything',
  ])
    await expect(connectAsync(url, { ...login, clientId }, false)).rejects.toThrow();
  const client = await connectAsync(url, { ...login, clientId: `${siteClients(3, password)}x` }, false);
  onTestFinished(() => client.endAsync(true));
  const wanted = [
    'whorl-sites/hq/3/down',
    'whorl-sites/hq/2/down',
    'whorl-sites/hq/2/up',
    '#',
    'whorl/hq/#',
    '+/hq/+/down',
  ];
  const granted = await client.subscribeAsync(wanted, { qos: 1 }).catch((error: unknown) => error);
  expect(granted).toBeInstanceOf(Error);
  const alone = await client.subscribeAsync('whorl-sites/hq/3/down', { qos: 1 });
  expect(alone.map(({ qos }) => qos)).toEqual([1]);
  const gone = new Promise<void>((resolve) => client.once('close', resolve));
  client.publish('whorl-sites/hq/2/up', 'x', { qos: 1 });
  await gone;
}, 60_000);

test('S7 S12 silent connections that fill the embedded broker and come again keep no satellite out, and whoever is in stays', async () => {
  const hq = await headquarters();
  const url = hq.face.brokerUrl ?? '';
  await hq.sites.operations.add({ ...EVERYBODY, syncId: 2, name: 'north', user: 'north' });
  await hq.sites.operations.add({ ...EVERYBODY, syncId: 3, name: 'south', user: 'south' });
  const [north, south] = [await satellite('north', 2, url), await satellite('south', 3, url)];
  await north.sites.operations.sync({ release: false });
  const siege = await besiege(Number(new URL(url).port), { connections: 300 });
  await south.sites.operations.sync({ release: false });
  await hq.gateway.operations.addUser(1, { set: { name: 'Ada' }, clear: [] });
  await north.sites.operations.sync({ release: false });
  expect(await north.gateway.store.countUsers()).toBe(1);
  expect(siege.opened).toBeGreaterThan(300);
  const told = await north.gateway.store.events({ type: 'site.offline', limit: 1 });
  expect(told).toEqual([]);
}, 60_000);

test('S10 what a gateway does when it starts belongs to the run that begins then', async () => {
  const { store } = (await headquarters()).gateway;
  const begun = (await store.sites.runs()).at(-1);
  const [started] = await store.events({ type: 'gateway.started', limit: 1 });
  expect(started?.id).toBeGreaterThan(begun?.event ?? Number.MAX_SAFE_INTEGER);
});
