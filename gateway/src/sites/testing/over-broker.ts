import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { siteClients, siteTopic } from '../broker-names.ts';
import { brokerPassword, verifierOf } from '../secrets.ts';
import { certify, freePort, NO_BROKER, PROGRAMS, systemBroker } from './brokers.ts';
import { Company } from './company.ts';
import type { Meeting, Office } from './company.ts';
import { carded, named, PASSWORD, quickDerive } from './world.ts';

interface Cast {
  readonly company: Company;
  readonly hq: Office;
  readonly north: Office;
  readonly south: Office;
}

/** A broker that takes 20 s to start, as one does on a busy machine, is tried again a minute later. */
const SLOW = { timeout: 100_000, interval: 100 };

/** The same tests over every broker: what is exchanged, what a broker does to it, and who may do what there. */
export function suiteOver(kind: Meeting['kind']): void {
  const program = kind === 'aedes' ? '' : PROGRAMS[kind]();
  let cast: Cast | undefined;
  beforeAll(async () => {
    if (program !== undefined) cast = await gathered(kind, program);
  }, 120_000);
  afterAll(() => cast?.company.close(), 20_000);

  for (const [title, work] of TESTS)
    test(`${title} [${kind}]`, { timeout: 240_000 }, async (context) => {
      if (cast === undefined) context.skip(kind === 'aedes' ? '' : NO_BROKER[kind]);
      else await work(cast);
    });
}

async function gathered(kind: Meeting['kind'], program: string): Promise<Cast> {
  const company = new Company(
    kind === 'aedes' ? await embedded() : { kind, broker: await systemBroker(kind, program) },
  );
  await company.open('north', 'south');
  const [north, south] = company.satellites;
  if (north === undefined || south === undefined) throw new Error('two satellites are needed');
  return { company, hq: company.hq, north, south };
}

async function embedded(): Promise<Meeting> {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-aedes-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const place = { port: await freePort(), cert: join(directory, 'cert'), key: join(directory, 'key') };
  certify(place, '127.0.0.1');
  return { kind: 'aedes', place };
}

/** All have the same users, and nobody has anything to say. */
async function equal({ hq, north, south }: Cast): Promise<void> {
  await vi.waitFor(async () => {
    const all = await hq.contents();
    expect(await north.contents()).toEqual(all);
    expect(await south.contents()).toEqual(all);
  }, SLOW);
}

async function edit({ parts }: Office, user: number, name: string, groups: number[] = []): Promise<void> {
  const change = { set: { name, ...(groups.length > 0 ? { groups } : {}) }, clear: [] };
  const { operations, store } = parts.gateway;
  await ((await store.user(user)) === undefined
    ? operations.addUser(user, change)
    : operations.editUser(user, change));
}

async function isThere({ hq }: Cast, name: string): Promise<boolean | undefined> {
  const { sites } = await hq.parts.sites.operations.status();
  return sites?.find((site) => site.name === name)?.online;
}

/** A program with the credentials of a site, whoever runs it. */
async function client(
  { company }: Cast,
  { user, syncId, id }: { readonly user: string; readonly syncId: number; readonly id?: string },
): Promise<MqttClient> {
  const verifier = await verifierOf(quickDerive, PASSWORD, { master: 'hq', syncId, user });
  const password = brokerPassword(verifier);
  const clientId = id ?? `${siteClients(syncId, password)}x`;
  const about = { username: user, password, clientId, reconnectPeriod: 0, ca: readFileSync(company.ca) };
  const found = await connectAsync(company.url, about, false);
  onTestFinished(() => found.endAsync(true));
  return found;
}

const TESTS: readonly (readonly [title: string, work: (cast: Cast) => Promise<void>])[] = [
  [
    'S4 S6 S12 what the master has comes down as it changes, what a terminal enrols goes up and comes down elsewhere',
    async (cast) => {
      const { hq, north, south } = cast;
      await edit(hq, 1, 'Ada');
      await north.enrol(2, { ...named('Bo'), ...carded(7) });
      await equal(cast);
      expect(Object.keys(await south.contents())).toEqual(['1', '2']);
      const from = await hq.store.user(2);
      expect([...(from?.provenance.values() ?? [])].map(({ terminal }) => terminal)).toContain(
        'north/door-1',
      );
    },
  ],
  [
    'S12 presence by last will: a satellite that breaks off is offline at the master, and online again',
    async (cast) => {
      await vi.waitFor(async () => expect(await isThere(cast, 'south')).toBe(true), SLOW);
      await cast.south.parts.sites.stop();
      await vi.waitFor(async () => expect(await isThere(cast, 'south')).toBe(false), SLOW);
      await cast.south.rest();
      await cast.south.open();
      await vi.waitFor(async () => expect(await isThere(cast, 'south')).toBe(true), SLOW);
    },
  ],
  [
    'S5 who leaves the scope of a site leaves the site, and nobody else does',
    async (cast) => {
      const { hq, north, south } = cast;
      await edit(hq, 10, 'Cy', [1]);
      await edit(hq, 11, 'Di', [2]);
      await equal(cast);
      const { operations } = hq.parts.sites;
      await operations.edit('north', { groups: [1] }, {});
      // Nobody has decided about 2, who was enrolled there.
      await vi.waitFor(async () => expect(Object.keys(await north.contents())).toEqual(['2', '10']), SLOW);
      expect(Object.keys(await south.contents())).toContain('11');
      await operations.edit('north', { groups: null }, {});
      await equal(cast);
    },
  ],
  [
    'S4 a paused satellite gets nothing until it is asked to, or resumed',
    async (cast) => {
      const { hq, north, south } = cast;
      const { operations } = north.parts.sites;
      await operations.changeSettings({ intervalMinutes: 0 });
      await edit(hq, 20, 'Ed');
      await vi.waitFor(async () => expect(await south.contents()).toHaveProperty('20'), SLOW);
      expect(await north.contents()).not.toHaveProperty('20');
      await operations.sync({ release: false });
      expect(await north.contents()).toHaveProperty('20');
      await edit(hq, 21, 'Fay');
      await operations.changeSettings({ intervalMinutes: 5 });
      await equal(cast);
    },
  ],
  [
    'S12 each message twice, and again later, changes nothing',
    async (cast) => {
      const { company, hq, north, south } = cast;
      const heard: { topic: string; payload: Uint8Array }[] = [];
      let repeats = true;
      let again = 0;
      const insider = await company.insider(({ topic, payload }) => {
        if (!repeats) return;
        repeats = heard.length < 500;
        // What it said itself comes back to it: only what is new is said again.
        if (heard.some((one) => one.topic === topic && Buffer.from(one.payload).equals(payload))) return;
        heard.push({ topic, payload });
        void insider.publish(topic, payload).then(
          () => (again += 1),
          () => undefined,
        );
      });
      onTestFinished(() => insider.drop('done'));
      const ways = ['up', 'down'] as const;
      await insider.subscribe([2, 3].flatMap((syncId) => ways.map((way) => siteTopic('hq', syncId, way))));
      for (let user = 30; user < 34; user += 1) await edit(hq, user, `User ${user}`);
      await north.enrol(40, named('Gus'));
      await equal(cast);
      await vi.waitFor(() => expect(again).toBeGreaterThan(10), SLOW);
      repeats = false;
      const version = (await hq.store.user(40))?.version;
      for (const { topic, payload } of heard) await insider.publish(topic, payload);
      await edit(hq, 41, 'Hal');
      await equal(cast);
      expect((await hq.store.user(40))?.version).toBe(version);
      const merged = await hq.parts.sites.operations.events({ user: 40, type: 'user.merged', limit: 10 });
      expect(merged).toHaveLength(1);
      expect(await south.store.sites.countAside()).toBe(0);
    },
  ],
  [
    'S7 S12 a broker that is killed at work and starts again loses and doubles nothing',
    async (cast) => {
      const { company, hq, north, south } = cast;
      await north.enrol(50, named('Ida'));
      await company.kill();
      await north.enrol(51, named('Jo'));
      await south.enrol(52, named('Kim'));
      await company.again();
      await edit(hq, 53, 'Lou');
      await equal(cast);
      expect(Object.keys(await hq.contents())).toEqual(expect.arrayContaining(['50', '51', '52', '53']));
      const events = await hq.parts.sites.operations.events({ type: 'user.merged', limit: 100 });
      const keys = events
        .filter(({ user = 0 }) => user >= 50)
        .map(({ user, terminal }) => `${user} ${terminal}`);
      expect(keys.sort()).toEqual(['50 door-1', '51 door-1', '52 door-1']);
      await vi.waitFor(async () => expect(await isThere(cast, 'north')).toBe(true), SLOW);
    },
  ],
  [
    'S12 a site can neither read nor write another’s topics, nor take its place or the master’s',
    async (cast) => {
      const { company, hq, north, south } = cast;
      await expect(
        connectAsync(company.url, { reconnectPeriod: 0, ca: readFileSync(company.ca) }, false),
      ).rejects.toThrow();
      await south.rest();
      const thief = await client(cast, { user: 'south', syncId: 3 });
      const read: string[] = [];
      thief.on('message', (topic) => read.push(topic));
      const wanted = ['whorl-sites/hq/2/down', 'whorl-sites/hq/2/up', '#', '+/hq/+/down', 'whorl/hq/#'];
      // Some brokers refuse the subscription, some end the connection, some grant it and give nothing.
      for (const filter of wanted) {
        if (!thief.connected) break;
        await thief.subscribeAsync(filter, { qos: 1 }).catch(() => undefined);
      }
      await edit(hq, 60, 'Max');
      await vi.waitFor(async () => expect(await north.contents()).toHaveProperty('60'), SLOW);
      expect(read.filter((topic) => topic !== 'whorl-sites/hq/3/down')).toEqual([]);
      thief.end(true);
      const heard: string[] = [];
      const insider = await company.insider(({ topic, payload }) => {
        if (Buffer.from(payload).toString() === 'a lie') heard.push(topic);
      });
      onTestFinished(() => insider.drop('done'));
      await insider.subscribe([2, 3].map((syncId) => siteTopic('hq', syncId, 'up')));
      await insider.subscribe([siteTopic('hq', 2, 'state')]);
      for (const topic of [
        'whorl-sites/hq/2/up',
        'whorl-sites/hq/2/state',
        'whorl-sites/hq/2/down',
        'whorl/hq/state',
      ]) {
        const liar = await client(cast, { user: 'south', syncId: 3 });
        const [gone, refused] = [vi.fn(), vi.fn()];
        liar.once('close', gone);
        liar.publish(topic, 'a lie', { qos: 1 }, refused);
        await vi.waitFor(
          () => expect(gone.mock.calls.length + refused.mock.calls.length).toBeGreaterThan(0),
          SLOW,
        );
        liar.end(true);
      }
      const own = await client(cast, { user: 'south', syncId: 3 });
      await own.publishAsync('whorl-sites/hq/3/up', 'a lie', { qos: 1 });
      own.end(true);
      await vi.waitFor(() => expect(heard).toEqual(['whorl-sites/hq/3/up']), SLOW);
      await south.open();
      await equal(cast);
    },
  ],
  [
    'S1 S2 a satellite that is added while all are at work gets in, and one that is removed does not any more',
    async (cast) => {
      const { company, hq } = cast;
      await company.list('east', 4);
      await company.relist();
      const east = company.satellite('east', 4);
      onTestFinished(() => east.close());
      await east.open();
      await vi.waitFor(async () => expect(await east.contents()).toEqual(await hq.contents()), SLOW);
      await hq.parts.sites.operations.remove('east');
      await company.relist(['east']);
      await expect(east.parts.sites.operations.sync({ release: false })).rejects.toMatchObject({
        code: expect.stringMatching(/^SITES_(PASSWORD|UNKNOWN|LINK)$/) as string,
      });
      await equal(cast);
    },
  ],
  [
    'S3 a copy of a machine is refused at both ends, and the machine itself goes on',
    async (cast) => {
      const { company, hq, north } = cast;
      const copy = company.satellite('north', 2);
      onTestFinished(() => copy.close());
      await north.parts.sites.operations.sync({ release: false });
      const told = await north.store.events({ type: 'site.offline', limit: 100 });
      copy.becomeCopyOf(north);
      await copy.open();
      await expect(copy.parts.sites.operations.sync({ release: false })).rejects.toMatchObject({
        code: 'SITES_CLONE',
      });
      const refused = await hq.store.events({ type: 'site.refused', limit: 10, newest: true });
      expect(refused.at(-1)).toMatchObject({ data: { site: 'north', code: 'SITES_CLONE' } });
      await copy.rest();
      expect(await north.store.events({ type: 'site.offline', limit: 100 })).toEqual(told);
      await edit(hq, 70, 'Ned', [1]);
      await equal(cast);
    },
  ],
];
