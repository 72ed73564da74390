import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fleetSchema, startFleet } from '@whorl/device-emulator';
import type { Fleet } from '@whorl/device-emulator';
import { openStore, silentLog, startGateway } from '@whorl/gateway';
import type { Gateway, LineConfig, Log, Store } from '@whorl/gateway';
import { describe, seededRandom, sleep, systemClock } from '@whorl/protocol';
import type { ConsolePlace } from './console.ts';
import { untilBy } from './parts.ts';
import { abilitiesOf } from './rig-file.ts';
import type { PortsFile, PortsLine } from './rig-file.ts';
import { during } from './settled.ts';
import type { Site } from './site.ts';
import { Switchboard } from './switchboard.ts';
import type { Timeline } from './timeline.ts';
import { keyFor, known } from './wiring.ts';

/** What the gateway says of a terminal: how it is, and why, when it does not answer. */
interface Seen {
  readonly state: string | undefined;
  readonly reason: string;
}

const PATIENCE_MS = 60_000;
const LOOK_MS = 20;
const BAUD = 115_200;
const CLEARING_MS = 30_000;

export interface PortsOptions {
  readonly console: ConsolePlace | undefined;
  readonly timeline: Timeline;
  readonly log?: Log;
  /** Where in the range of user ids it begins, 0 to 1. */
  readonly begin: number;
}

/**
 * A gateway in front of ports that a rig file names, in real time. Terminals that are not paired yet are paired with
 * the help of whoever is at hand; whoever was enrolled is deleted when the rig is closed.
 */
export async function portsRig(file: PortsFile, options: PortsOptions): Promise<Site> {
  mkdirSync(file.data, { recursive: true });
  const fleet = await emulatedPart(file, options.timeline);
  try {
    return await onPorts(file, fleet, options);
  } catch (error) {
    await fleet?.stop();
    throw error;
  }
}

async function onPorts(file: PortsFile, fleet: Fleet | undefined, options: PortsOptions): Promise<Site> {
  const clock = systemClock;
  const { timeline } = options;
  const store = openStore({ data: join(file.data, 'gateway') });
  if (fleet !== undefined) await pairEmulated(store, fleet);
  const [before] = await store.events({ newest: true, limit: 1 });
  const lines = file.lines.map((line) => gatewayLine(file, line, fleet));
  let starts = 0;
  const start = async (): Promise<Gateway> => {
    starts += 1;
    const started = await startGateway({
      ...{ config: { name: 'rig', lines }, version: '0.0.0', store, clock, log: options.log ?? silentLog },
      random: seededRandom(clock.wallTime() + starts),
    });
    for (const { name, over } of lines) {
      const baud = 'baud' in over ? over.baud : undefined;
      const heard = timeline.listen({ name, baud }, clock);
      started.operations.tap(name)((bytes, direction) => {
        heard(bytes, direction === 'to-terminal');
      });
    }
    return started;
  };
  let gateway = await start();
  const board = new Switchboard(file, fleet, options.console);
  const { places } = board;
  const given: number[] = [];
  const pass = (ms: number): Promise<void> => sleep(clock, ms);
  const site: Site = {
    kind: 'ports',
    get gateway() {
      return gateway;
    },
    names: [...places.keys()],
    able: (what) =>
      [...places].flatMap(([name, { line, terminal }]) =>
        abilitiesOf(line, terminal).includes(what) ? [name] : [],
      ),
    hands: (name) => board.hands(name),
    lineOf: (name) => known(places, name).line.name,
    someone() {
      const { from, count } = file.users;
      const id = from + ((Math.floor(options.begin * count) + given.length) % count);
      given.push(id);
      return id;
    },
    until: untilBy({ clock, pass, lookMs: LOOK_MS, patienceMs: PATIENCE_MS }),
    pass,
    plug: (line) => board.plug(line),
    unplug: (line) => board.unplug(line),
    async restartGateway() {
      await gateway.stop();
      gateway = await start();
    },
    events: () => store.events({ after: before?.id ?? 0, limit: 100_000 }),
    async close() {
      await board.restore();
      // Whoever cannot be deleted stays: users are taken from another place in the range next time.
      await clear(site, given).catch(() => undefined);
      await gateway.stop();
      await store.close();
      await fleet?.stop();
    },
  };
  await gateway.operations.changeSettings({ autoSync: 'all-with-device-updates', restoreDeleted: false });
  return site;
}

/**
 * Pairs whoever is not: the code is read off by whoever is at hand.
 * @throws what the gateway refuses with; for who does not answer, with the reason that the gateway has
 */
export async function pairRest(site: Site): Promise<void> {
  const statusOf = async (name: string): Promise<Seen> => {
    const { terminals, lines } = await site.gateway.operations.status();
    const terminal = terminals.find((one) => one.name === name);
    const line = lines.find((one) => one.name === terminal?.line);
    return { state: terminal?.state, reason: line?.reason ?? terminal?.reason ?? 'no reason is known' };
  };
  for (const name of site.names) {
    const isThere = async (): Promise<boolean> => (await statusOf(name)).state !== 'offline';
    await site.until(`${name} answers`, isThere).catch(async (cause: unknown) => {
      throw new Error(`${describe(cause)}: ${(await statusOf(name)).reason}`, { cause });
    });
    if ((await statusOf(name)).state === 'online') continue;
    await pairAgain(site, name);
  }
}

/** Pairs a terminal, whoever was paired under its name before. */
export async function pairAgain(site: Site, name: string): Promise<void> {
  const code = (await site.hands(name).pairingCode()).trim();
  await during(site, `the pairing of ${name}`, site.gateway.operations.pair(name, { code, replace: true }));
}

/** Deletes whoever the behaviour has used, so that the next one finds nobody. */
async function clear(site: Site, users: readonly number[]): Promise<void> {
  const { operations, store } = site.gateway;
  await operations.changeSettings({ autoSync: 'all-with-device-updates', restoreDeleted: false });
  for (const user of users) if ((await store.user(user)) !== undefined) await operations.deleteUser(user);
  await site.until(
    'the users of this behaviour gone',
    async () => {
      const rows = await Promise.all(users.map((user) => store.ledger({ user, limit: 1 })));
      return rows.every((one) => one.length === 0);
    },
    { withinMs: CLEARING_MS },
  );
}

function gatewayLine(file: PortsFile, line: PortsLine, fleet: Fleet | undefined): LineConfig {
  const { name, turnaroundMs, latencyMs } = line;
  const timing = { turnaroundMs, latencyMs };
  const terminals = line.terminals.map((one) => ({
    name: one.name,
    address: one.address,
    groups: one.groups,
  }));
  if (line.serial !== undefined)
    return { name, over: { kind: 'serial', ...line.serial, ...timing }, terminals };
  if (line.tcp !== undefined) return { name, over: { kind: 'tcp', ...line.tcp, ...timing }, terminals };
  if (line.emulated === 'pty')
    return { name, over: { kind: 'serial', path: linkOf(file, name), baud: BAUD, ...timing }, terminals };
  const port = Number(/port (\d+)/.exec(fleet?.line(name).cable.place ?? '')?.[1]);
  return { name, over: { kind: 'tcp', host: '127.0.0.1', port, ...timing }, terminals };
}

function linkOf(file: PortsFile, line: string): string {
  return join(file.data, `${line}.line`);
}

/** The lines of a mixed rig that are emulated; what their terminals hold stays from one run to the next. */
async function emulatedPart(file: PortsFile, timeline: Timeline): Promise<Fleet | undefined> {
  const lines = file.lines.filter(({ emulated }) => emulated !== undefined);
  if (lines.length === 0) return undefined;
  const data = join(file.data, 'terminals');
  mkdirSync(data, { recursive: true });
  const config = fleetSchema.parse({
    data,
    lines: lines.map(({ name, emulated, terminals }) => ({
      name,
      ...(emulated === 'pty'
        ? { pty: { link: linkOf(file, name) } }
        : { listen: { port: 0 }, ...(terminals.length > 1 ? { baud: BAUD } : {}) }),
      terminals: terminals.map((one) => ({ name: one.name, address: one.address })),
    })),
  });
  const fleet = await startFleet(config, systemClock, { tellKeys: timeline.tellKeys });
  for (const { terminals } of fleet.lines.values())
    for (const terminal of terminals.values())
      if (!terminal.isPaired) terminal.setKey(keyFor(terminal.serial));
  return fleet;
}

async function pairEmulated(store: Store, fleet: Fleet): Promise<void> {
  const stored = await store.pairings();
  const missing = [...fleet.lines.values()]
    .flatMap(({ terminals }) => [...terminals])
    .filter(([, { serial }]) => !stored.has(serial))
    .map(([terminal, { serial }]) => [serial, { terminal, key: keyFor(serial) }] as const);
  await store.savePairings(new Map(missing), []);
}
