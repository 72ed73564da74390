import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { brokerPassword, verifierOf } from './sites/secrets.ts';
import { Connection } from './mqtt/connection.ts';
import { brokerWire } from './mqtt/ways.ts';
import { systemClock } from '@whorl/protocol';
import { siteClients, siteTopic } from './sites/broker-names.ts';
import { bridgedBrokers } from './sites/testing/bridged.ts';
import type { Bridged } from './sites/testing/bridged.ts';
import { NO_BROKER, PROGRAMS } from './sites/testing/brokers.ts';
import { Company } from './sites/testing/company.ts';
import { carded, named, PASSWORD, quickDerive } from './sites/testing/world.ts';

const SLOW = { timeout: 30_000, interval: 50 };

const program = PROGRAMS.mosquitto();
let cast: { readonly company: Company; readonly broker: Bridged } | undefined;

beforeAll(async () => {
  if (program === undefined) return;
  const broker = await bridgedBrokers(program);
  const company = new Company({ kind: 'mosquitto', broker, sites: broker.sites });
  await company.open('north', 'south');
  cast = { company, broker };
}, 30_000);
afterAll(() => cast?.company.close(), 20_000);

async function isThere({ hq }: Company, name: string): Promise<boolean | undefined> {
  const { sites } = await hq.parts.sites.operations.status();
  return sites?.find((site) => site.name === name)?.online;
}

async function equal({ hq, satellites }: Company): Promise<void> {
  await vi.waitFor(async () => {
    const all = await hq.contents();
    for (const one of satellites) expect(await one.contents()).toEqual(all);
  }, SLOW);
}

test('S4 S6 S12 over two brokers with a bridge users go both ways, and presence with its last will reaches the master', async (context) => {
  if (cast === undefined) return context.skip(NO_BROKER.mosquitto);
  const { company } = cast;
  const { hq, satellites } = company;
  const [north, south] = satellites;
  await hq.parts.gateway.operations.addUser(1, { set: { name: 'Ada' }, clear: [] });
  await north?.enrol(2, { ...named('Bo'), ...carded(7) });
  await equal(company);
  expect(Object.keys(await hq.contents())).toEqual(['1', '2']);
  for (const name of ['north', 'south'])
    await vi.waitFor(async () => expect(await isThere(company, name)).toBe(true), SLOW);
  await south?.parts.sites.stop();
  await vi.waitFor(async () => expect(await isThere(company, 'south')).toBe(false), SLOW);
  expect(await isThere(company, 'north')).toBe(true);
  await south?.rest();
  await south?.open();
  await vi.waitFor(async () => expect(await isThere(company, 'south')).toBe(true), SLOW);
});

test('S12 a site’s account has its own topics only, at its broker as behind the bridge', async (context) => {
  if (cast === undefined) return context.skip(NO_BROKER.mosquitto);
  const { company, broker } = cast;
  const { hq, satellites } = company;
  const [north, south] = satellites;
  await south?.rest();
  const verifier = await verifierOf(quickDerive, PASSWORD, { master: 'hq', syncId: 3, user: 'south' });
  const password = brokerPassword(verifier);
  const read: string[] = [];
  const thief = await Connection.open({
    ...{ wire: brokerWire(broker.sites.url, broker.sites.ca), login: { user: 'south', password } },
    ...{ clientId: `${siteClients(3, password)}x`, clock: systemClock, signal: AbortSignal.timeout(10_000) },
    will: { topic: siteTopic('hq', 3, 'state'), payload: '0' },
    onMessage: ({ topic }) => read.push(topic),
  });
  await thief.subscribe([siteTopic('hq', 2, 'down'), siteTopic('hq', 2, 'up')]).catch(() => undefined);
  await thief.publish(siteTopic('hq', 2, 'state'), 'offline', { retain: true }).catch(() => undefined);
  await hq.parts.gateway.operations.addUser(60, { set: { name: 'Max' }, clear: [] });
  await vi.waitFor(async () => expect(await north?.contents()).toHaveProperty('60'), SLOW);
  expect(read).toEqual([]);
  expect(await isThere(company, 'north')).toBe(true);
  thief.drop('done');
  await south?.open();
  await equal(company);
});

test(
  'S7 S12 a broker of the sites that is killed and starts again loses and doubles nothing',
  { timeout: 40_000 },
  async (context) => {
    if (cast === undefined) return context.skip(NO_BROKER.mosquitto);
    const { company, broker } = cast;
    const { hq, satellites } = company;
    const [north, south] = satellites;
    await broker.sites.kill();
    await north?.enrol(51, named('Jo'));
    await south?.enrol(52, named('Kim'));
    await hq.parts.gateway.operations.addUser(53, { set: { name: 'Lou' }, clear: [] });
    await broker.sites.again();
    await equal(company);
    expect(Object.keys(await hq.contents())).toEqual(expect.arrayContaining(['51', '52', '53']));
    const merged = await hq.parts.sites.operations.events({ type: 'user.merged', limit: 100 });
    expect(
      merged
        .filter(({ user = 0 }) => user > 50)
        .map(({ user }) => user)
        .sort(),
    ).toEqual([51, 52]);
  },
);
