import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fleetSchema, startFleet } from '@whorl/device-emulator';
import type { Terminal } from '@whorl/device-emulator';
import type { BrokerFile } from '@whorl/gateway/sites/broker-accounts';
import {
  freePort,
  NO_BROKER,
  PROGRAMS,
  systemBroker,
  type SystemBroker,
} from '@whorl/gateway/sites/testing/brokers';
import { systemClock } from '@whorl/protocol';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { BentLink } from '../rig/bent-link.ts';
import { GatewayProcess } from '../rig/gateway-process.ts';
import { openNetworks } from '../rig/networks.ts';
import type { Place } from '../rig/networks.ts';

const PASSWORD = 'correct horse battery';
const CODE = 'open sesame 47';
const PATIENCE = { timeout: 60_000, interval: 100 };
/** Amid what is said of a user with many fingers. */
const AMID_BYTES = 3000;
const DELAY_MS = 15;

interface Site {
  readonly gateway: GatewayProcess;
  readonly terminal: Terminal;
  readonly place: Place;
  readonly link: BentLink;
}

const program = PROGRAMS.mosquitto();
const networks = program === undefined ? undefined : openNetworks(3);
afterAll(() => networks?.remove());

/** What all of one company have in common. */
class Company {
  readonly #folder = mkdtempSync(join(tmpdir(), 'whorl-apart-'));
  readonly #broker: SystemBroker;
  readonly #meeting: string;

  constructor(broker: SystemBroker, meeting: string) {
    this.#broker = broker;
    this.#meeting = meeting;
    onTestFinished(() => rmSync(this.#folder, { recursive: true, force: true }));
    writeFileSync(join(this.#folder, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
  }

  #gateway(name: string, place: Place, rest: string): GatewayProcess {
    const config = `gateway: { name: ${name} }\nhttp: { enabled: false }\n${rest}`;
    const gateway = new GatewayProcess({ name, folder: this.#folder, config, inside: place.inside });
    onTestFinished(() => gateway.kill());
    gateway.start();
    return gateway;
  }

  async master(place: Place): Promise<GatewayProcess> {
    const { url, ca } = this.#broker;
    const external = `{ url: "${url}", ca: "${ca}", user: hq, passwordFile: ../password }`;
    const hq = this.#gateway(
      'hq',
      place,
      `mqtt: { enabled: true, external: ${external} }\nsite: { role: master }\nlines: []\n`,
    );
    await awake(hq);
    await hq.ask('POST', '/sites/lock/code', { code: CODE });
    await hq.ask('POST', '/sites/lock/open', { code: CODE });
    return hq;
  }

  async satellite(name: string, syncId: number, place: Place): Promise<Site> {
    const port = await freePort();
    const fleet = await startFleet(
      fleetSchema.parse({
        lines: [{ name: 'hall', listen: { host: place.hall, port }, terminals: [{ name: 'door' }] }],
      }),
      systemClock,
    );
    onTestFinished(() => fleet.stop());
    const broker = { host: this.#meeting, port: Number(new URL(this.#broker.url).port) };
    const link = await BentLink.open({ host: this.#meeting, to: broker, clock: systemClock });
    onTestFinished(() => link.close());
    link.delayMs = DELAY_MS;
    const url = `mqtts://${this.#meeting}:${link.port}`;
    const above = `{ name: hq, url: "${url}", ca: "${this.#broker.ca}", user: ${name}, passwordFile: ../password }`;
    const gateway = this.#gateway(
      name,
      place,
      `site: { role: satellite, syncId: ${syncId}, master: ${above} }
lines: [{ name: hall, tcp: { host: ${place.hall}, port: ${port} }, terminals: [{ name: door, groups: [1] }] }]
`,
    );
    const { terminal } = fleet.terminal('door');
    await awake(gateway);
    return { gateway, terminal, place, link };
  }
}

async function awake(gateway: GatewayProcess): Promise<void> {
  await vi.waitFor(() => gateway.ask('GET', '/status'), PATIENCE);
}

const statusSchema = z.object({ terminals: z.array(z.object({ state: z.string() })) });

/** As somebody reads the code off the display and types it. */
async function paired({ gateway, terminal }: Site): Promise<void> {
  const state = async (): Promise<string | undefined> =>
    statusSchema.parse(await gateway.ask('GET', '/status')).terminals[0]?.state;
  await vi.waitFor(async () => expect(await state()).toBe('quarantined'), PATIENCE);
  await gateway.ask('POST', '/terminals/door/pair', { code: terminal.pair() });
  await vi.waitFor(async () => expect(await state()).toBe('online'), PATIENCE);
}

const presenceSchema = z.object({ sites: z.array(z.object({ name: z.string(), online: z.boolean() })) });

async function presence(hq: GatewayProcess): Promise<Record<string, boolean>> {
  const { sites } = presenceSchema.parse(await hq.ask('GET', '/sites'));
  return Object.fromEntries(sites.map(({ name, online }) => [name, online]));
}

async function holds(gateway: GatewayProcess, ...users: readonly number[]): Promise<void> {
  await vi.waitFor(
    async () =>
      expect(Object.keys(await gateway.users()).map(Number)).toEqual(expect.arrayContaining([...users])),
    PATIENCE,
  );
}

/** All databases hold just these users, field by field the same, and so do the terminals. */
async function equal(hq: GatewayProcess, sites: readonly Site[], users: readonly number[]): Promise<void> {
  await vi.waitFor(async () => {
    const all = await hq.users();
    expect(Object.keys(all).map(Number)).toEqual(users);
    for (const { gateway } of sites) expect(await gateway.users()).toEqual(all);
    const [one, other] = sites.map(({ terminal }) => [...terminal.users()].sort(([a], [b]) => a - b));
    expect(one?.map(([user]) => user)).toEqual(users);
    expect(other).toEqual(one);
  }, PATIENCE);
}

const eventsSchema = z.array(
  z.object({ user: z.int().optional(), origin: z.string().optional(), source: z.string().optional() }),
);

/** Credentials that were enrolled at a terminal, by user: as a site knows them, or as the master heard of them. */
async function enrolments(gateway: GatewayProcess, path: string): Promise<readonly (number | undefined)[]> {
  const found = eventsSchema.parse(await gateway.ask('GET', `${path}type=user.enrol.succeeded&limit=1000`));
  const own = found.filter(({ origin }) => origin === 'terminal');
  const sources = own.flatMap(({ source }) => source ?? []);
  expect(sources).toHaveLength(new Set(sources).size);
  return own.map(({ user }) => user).sort();
}

async function added(gateway: GatewayProcess): Promise<readonly (number | undefined)[]> {
  const found = eventsSchema.parse(await gateway.ask('GET', '/events?type=user.added&limit=1000'));
  return found.map(({ user }) => user);
}

test(`S7 S12 sites whose links are slow, lossy and cut, whose process and broker are killed amid an exchange, go on by themselves and end with the same users, each once [${networks?.kind ?? 'left out'}]`, async (context) => {
  if (program === undefined || networks === undefined) return context.skip(NO_BROKER.mosquitto);
  const [centre, first, second] = networks.places;
  if (centre === undefined || first === undefined || second === undefined) throw new Error('three places');
  const broker = await systemBroker('mosquitto', program, networks.meeting);
  onTestFinished(() => broker.stop());
  const company = new Company(broker, networks.meeting);
  const [hq, north, south] = await Promise.all([
    company.master(centre),
    company.satellite('north', 2, first),
    company.satellite('south', 3, second),
  ]);
  const sites = [north, south];
  for (const [name, syncId] of [
    ['north', 2],
    ['south', 3],
  ] as const)
    await hq.ask('POST', '/sites', { name, syncId, user: name, password: PASSWORD });
  const { directory, port, cert, key } = broker.place;
  const files = await hq.ask('POST', '/sites/broker-config', {
    ...{ kind: 'mosquitto', directory, port, cert, key },
  });
  const fileSchema: z.ZodType<BrokerFile> = z.object({ name: z.string(), text: z.string() });
  await broker.start(z.array(fileSchema).parse(files));
  await Promise.all(sites.map(paired));
  for (const { gateway } of sites) await gateway.ask('POST', '/sites/sync', {}).catch(() => undefined);
  const enrol = ({ terminal }: Site, user: number, fingers: number): void => {
    terminal.enrol({ user, name: `User ${user}`, groups: [1], fingers });
  };

  // Over slow links that lose packets.
  enrol(north, 1, 10);
  enrol(south, 2, 1);
  await equal(hq, sites, [1, 2]);
  if (networks.kind !== 'loopback') expect(first.lost() + second.lost()).toBeGreaterThan(0);

  // North is cut off; after a while the far end of its connections is gone, too.
  if (!first.cut()) north.link.hold();
  north.link.forget();
  await vi.waitFor(async () => expect(await presence(hq)).toEqual({ north: false, south: true }), PATIENCE);
  enrol(north, 3, 2);
  enrol(south, 4, 2);
  north.terminal.enrol({ user: 2, finger: 5 });
  south.terminal.enrol({ user: 1, card: 0 });
  await holds(north.gateway, 1, 2, 3);
  await holds(hq, 1, 2, 4);
  await hq.ask('POST', '/users', { id: 5, name: 'User 5', groups: [1] });
  await vi.waitFor(() => expect([...south.terminal.users().keys()]).toContain(5), PATIENCE);
  expect(Object.keys(await hq.users())).not.toContain('3');
  expect(Object.keys(await north.gateway.users())).toEqual(['1', '2', '3']);
  north.link.release();
  first.mend();
  await equal(hq, sites, [1, 2, 3, 4, 5]);
  expect(Object.keys(north.terminal.user(2) ?? {})).toEqual(expect.arrayContaining(['finger.0', 'finger.5']));
  expect(Object.keys(north.terminal.user(1) ?? {})).toEqual(expect.arrayContaining(['finger.9', 'card.0']));

  // A connection breaks amid a message on its way up.
  const broken = north.link.holdAfter('up', AMID_BYTES);
  enrol(north, 6, 10);
  await broken;
  expect(Object.keys(await hq.users())).not.toContain('6');
  north.link.forget();
  north.link.release();
  await holds(hq, 6);

  // South dies amid the same user on its way down.
  await equal(hq, sites, [1, 2, 3, 4, 5, 6]);
  const dies = south.link.holdAfter('down', AMID_BYTES);
  enrol(north, 7, 10);
  await dies;
  expect(Object.keys(await south.gateway.users())).not.toContain('7');
  await south.gateway.kill();
  south.link.forget();
  south.link.release();
  enrol(south, 8, 1);
  south.gateway.start();
  await awake(south.gateway);
  await equal(hq, sites, [1, 2, 3, 4, 5, 6, 7, 8]);

  // The broker dies amid an exchange, and all are alone until it is back.
  const alone = north.link.holdAfter('up', AMID_BYTES);
  enrol(north, 9, 10);
  await alone;
  await broker.kill();
  north.link.release();
  enrol(south, 10, 2);
  await holds(north.gateway, 9);
  await holds(south.gateway, 10);
  await broker.again();
  const everybody = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  await equal(hq, sites, everybody);

  for (const [site, { gateway }] of [
    [2, north],
    [3, south],
  ] as const) {
    const told = await enrolments(gateway, '/events?');
    expect(new Set(told).size).toBe(site === 2 ? 6 : 5);
    await vi.waitFor(
      async () => expect(await enrolments(hq, `/sites/events?site=${site}&`)).toEqual(told),
      PATIENCE,
    );
  }
  for (const gateway of [hq, north.gateway, south.gateway]) {
    const users = await added(gateway);
    expect(users).toHaveLength(new Set(users).size);
    expect(await gateway.ask('GET', '/sites/aside')).toEqual([]);
  }
}, 180_000);
