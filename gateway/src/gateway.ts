import { describe, WhorlError } from '@whorl/protocol';
import type { Clock, LineTiming, Random, RegisterName } from '@whorl/protocol';
import type { NewEvent } from './events/catalogue.ts';
import { EventHub } from './events/hub.ts';
import { Gate } from './lines/gate.ts';
import { Line } from './lines/line.ts';
import type { OpenTransport } from './lines/transport.ts';
import { DialIn } from './lines/transports/dial-in.ts';
import { openSerial } from './lines/transports/serial.ts';
import { openTcp } from './lines/transports/tcp.ts';
import type { Log } from './settings/log.ts';
import type { ModbusBusConfig } from './settings/modbus.ts';
import type { LineConfig, LineOver, SiteConfig } from './settings/site.ts';
import type { Store } from './store/store.ts';
import { Agent } from './sync/agent.ts';
import { Desk } from './sync/desk.ts';
import type { Operations } from './sync/operations.ts';
import { Pairings } from './sync/pairings.ts';
import { Site } from './sync/site.ts';
import { TaskDesk } from './tasks/desk.ts';
import type { TerminalDeed } from './tasks/ground.ts';
import type { TaskOperations } from './tasks/operations.ts';
import { Syncs } from './tasks/syncs.ts';
import type { TerminalDriver } from './terminals/driver.ts';
import { Registers } from './terminals/registers/all.ts';
import type { TerminalStatus } from './terminals/status.ts';
import { Convoys } from './terminals/whorl/convoy.ts';
import { WhorlDriver } from './terminals/whorl/driver.ts';
import { greetSocket } from './terminals/whorl/greet.ts';
import { Presence } from './terminals/whorl/presence.ts';

export interface GatewayParts {
  readonly config: SiteConfig;
  readonly version: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How lines are opened; by default as the configuration says. A rig hands in lines in memory. */
  readonly open?: (line: LineConfig) => OpenTransport | undefined;
  /** Writes into the audit trail what somebody did at a terminal. */
  readonly note?: ((deed: TerminalDeed) => Promise<void>) | undefined;
  /** Another process that shares the database has lines and terminals: none of them is opened here. */
  readonly standby?: boolean | undefined;
  /** How old sessions become, milliseconds; a day by default. */
  readonly renewalMs?: number | undefined;
  /** Users are still to come from a master. */
  readonly awaits?: boolean | undefined;
}

/** A gateway at work. */
export interface Gateway {
  readonly operations: Operations;
  /** About portable terminals. */
  readonly tasks: TaskOperations;
  readonly store: Store;
  readonly hub: EventHub;
  /** What the parts of the sync share: for the sync with other gateways. */
  readonly site: Site;
  /** The port that terminals dial, when there is one. */
  readonly port: number | undefined;
  /** Stores an event that stands alone; one that the database cannot take waits beside it. */
  tell(event: NewEvent): Promise<void>;
  /** Reads again what another process may have changed, and looks whether there is something to do. @throws WhorlError STORE_* */
  refresh(): Promise<void>;
  /** Ends all work and closes the lines; the store stays open. */
  stop(): Promise<void>;
}

interface Wired {
  readonly line: Line;
  readonly config: LineConfig;
  readonly drivers: readonly WhorlDriver[];
}

/** Handshakes at once: one of them waits for the network while others reckon. */
const HANDSHAKES = 32;

interface WireContext {
  readonly parts: GatewayParts;
  readonly site: Site;
  readonly keys: Pairings;
  readonly dialIn: DialIn | undefined;
  readonly handshakes: Gate;
}

/**
 * Puts a gateway together and starts it. It goes on from what its store holds.
 * @throws WhorlError STORE_*, LINE_LISTEN; trouble with lines and terminals is told as events instead
 */
export async function startGateway(given: GatewayParts): Promise<Gateway> {
  const { store, clock, log } = given;
  const hub = new EventHub((error) => {
    log.error({}, `a listener for events failed: ${describe(error)}`);
  });
  const places = given.config.lines.flatMap((line) =>
    line.terminals.map(({ name, groups }) => ({ terminal: name, line: line.name, groups })),
  );
  const { standby = false, awaits } = given;
  const parts = standby ? { ...given, config: { name: given.config.name, lines: [] } } : given;
  const { config } = parts;
  const site = new Site({ store, hub, clock, random: parts.random, log, places, awaits });
  await site.load();
  await site.trouble.start();
  const dialIn = await listen(parts, site);
  const keys = new Pairings(store, await store.pairings());
  const context = { parts, site, keys, dialIn: dialIn?.server, handshakes: new Gate(HANDSHAKES) };
  const wired = config.lines.map((line) => wire(context, line));
  const ground = {
    ...{ site, name: config.name, random: parts.random, note: parts.note ?? nowhere },
    driver: (terminal: string) => driverOf(wired, terminal),
    baud: (terminal: string) => baudOf(config, terminal),
  };
  const syncs = new Syncs(ground);
  const drivers = wired.flatMap((one) => one.drivers);
  for (const driver of drivers) keepKind(site, driver, () => desk.rescope());
  const agents = drivers.map((driver) => new Agent(site, driver, syncs.serve.bind(syncs)));
  const stopping = new AbortController();
  const registers = registersOf(parts, site, { wired, signal: stopping.signal });
  const desk = new Desk({
    site,
    gateway: config.name,
    version: parts.version,
    started: clock.wallTime(),
    signal: stopping.signal,
    lines: () => [...wired.map(({ line }) => line.status()), ...registers.lines()],
    registers,
    terminals: () => wired.flatMap(terminalStatuses),
    pairings: keys,
    taps: (line) => lineOf(wired, line).taps,
    driver: (terminal) => driverOf(wired, terminal),
    pair: (terminal, pairing) => driverOf(wired, terminal).pair({ ...pairing, random: parts.random }),
    part: (terminal) => {
      driverOf(wired, terminal).part();
    },
  });
  site.trouble.onResume(() => {
    desk.resume();
  });
  syncs.start();
  await site.tell({ type: 'gateway.started', time: clock.wallTime(), data: { version: parts.version } });
  for (const agent of agents) agent.start();
  for (const { line } of wired) line.start();
  registers.start();
  // Whom each terminal is to hold is looked at where the terminals are.
  if (!standby) desk.rescope();
  return {
    operations: desk,
    tasks: new TaskDesk(ground, syncs),
    store,
    hub,
    site,
    port: dialIn?.port,
    tell: (event) => site.tell(event),
    async refresh() {
      if ((await site.refresh({ portables: standby })) && !standby) desk.rescope();
      site.wake();
    },
    async stop() {
      stopping.abort();
      syncs.stop();
      const stopped = agents.map((agent) => agent.stop());
      await Promise.all([registers.stop(), ...wired.map(({ line }) => line.stop())]);
      await Promise.all(stopped);
      await desk.settled();
      await dialIn?.server.close();
      await site.tell({ type: 'gateway.stopped', time: clock.wallTime(), data: {} });
      site.trouble.stop();
    },
  };
}

/** @throws WhorlError LINE_UNKNOWN */
function lineOf(wired: readonly Wired[], name: string): Line {
  const found = wired.find(({ config }) => config.name === name);
  if (found === undefined) throw new WhorlError('LINE_UNKNOWN', `no line is called ${name}`);
  return found.line;
}

/** @throws WhorlError TERMINAL_UNKNOWN */
function driverOf(wired: readonly Wired[], terminal: string): WhorlDriver {
  const driver = wired.flatMap(({ drivers }) => drivers).find((one) => one.name === terminal);
  if (driver === undefined) throw new WhorlError('TERMINAL_UNKNOWN', `no terminal is called ${terminal}`);
  return driver;
}

function wire(context: WireContext, config: LineConfig): Wired {
  const { parts, site, keys, dialIn, handshakes } = context;
  const line = lineFor(parts, site, { config, open: parts.open?.(config) ?? opener(config.over, dialIn) });
  const { random, renewalMs } = parts;
  const presence = new Presence({ line, keys, random, handshakes, renewalMs });
  const convoys = new Convoys(line, parts.random);
  const drivers = config.terminals.map(
    ({ name, address }) => new WhorlDriver({ name, address, line, presence, convoys }),
  );
  return { line, config, drivers };
}

/** The register that says whether a terminal sits in its dock. */
const DOCK: RegisterName = 'dock';

/** Registers of terminals and modules, read over lines of their own or in turns on those of the terminals. */
function registersOf(
  parts: GatewayParts,
  site: Site,
  { wired, signal }: { readonly wired: readonly Wired[]; readonly signal: AbortSignal },
): Registers {
  const tell = (event: NewEvent): void => void site.tell(event);
  // For one that does not notice by itself that it was put into its dock; when it cannot be told, it is at the next change.
  const tellSupply = (driver: WhorlDriver, present: boolean): void => {
    driver.portable?.supply(present, signal).catch((error: unknown) => {
      parts.log.info(
        { terminal: driver.name },
        `${driver.name}: supply could not be told: ${describe(error)}`,
      );
    });
  };
  return new Registers({
    buses: parts.config.modbus ?? [],
    shared: (line) => lineOf(wired, line),
    own: ({ name, serial, tcp }) => {
      const config: LineConfig = { name, over: overOf({ serial, tcp }), terminals: [] };
      return lineFor(parts, site, { config, open: parts.open?.(config) ?? opener(config.over, undefined) });
    },
    address: (terminal) => driverOf(wired, terminal).peer.address,
    watcher: {
      changed: ({ name, terminal }, register, value, before) => {
        const data = { of: name, register, value };
        const at = terminal ? { terminal: name } : {};
        if (before !== undefined) tell({ type: 'register.changed', time: site.now, ...at, data });
        if (terminal && register === DOCK) tellSupply(driverOf(wired, name), value === 1);
      },
      silent: ({ name, terminal }, reason) => {
        const at = terminal ? { terminal: name } : {};
        tell({ type: 'modbus.silent', time: site.now, ...at, data: { of: name, reason } });
      },
      answers: ({ name, terminal }) => {
        const at = terminal ? { terminal: name } : {};
        tell({ type: 'modbus.answers', time: site.now, ...at, data: { of: name } });
      },
    },
  });
}

function lineFor(
  parts: GatewayParts,
  site: Site,
  { config, open }: { config: LineConfig; open: OpenTransport },
): Line {
  const line = new Line({
    name: config.name,
    over: inWords(config.over),
    open,
    timing: timingOf(config.over),
    clock: parts.clock,
    random: parts.random,
  });
  line.watch({
    opened: () => {
      parts.log.info({ line: config.name }, `line ${config.name}: open, ${inWords(config.over)}`);
      void site.tell({ type: 'line.opened', time: site.now, line: config.name, data: {} });
    },
    closed: (reason) => {
      parts.log.warn({ line: config.name }, `line ${config.name}: closed: ${reason}`);
      void site.tell({ type: 'line.closed', time: site.now, line: config.name, data: { reason } });
    },
  });
  return line;
}

async function listen(
  parts: GatewayParts,
  site: Site,
): Promise<{ server: DialIn; port: number } | undefined> {
  const { listen: place } = parts.config;
  if (place === undefined) return undefined;
  const server = new DialIn({
    greet: (socket) => greetSocket(socket, parts.clock, parts.random),
    clock: parts.clock,
    log: parts.log,
    unknown: (serial, address) => {
      parts.log.warn(
        { serial, address },
        `a terminal with serial ${serial} dialled in from ${address}; no line of the configuration waits for it`,
      );
      void site.tell({ type: 'terminal.unknown', time: site.now, data: { serial, address } });
    },
  });
  return { server, port: await server.listen(place) };
}

function opener(over: LineOver, dialIn: DialIn | undefined): OpenTransport {
  switch (over.kind) {
    case 'serial':
      return openSerial(over);
    case 'tcp':
      return openTcp(over);
    case 'dialIn':
      if (dialIn === undefined)
        throw new Error('a line waits for a terminal to dial in, and nothing listens');
      return dialIn.transportOf(over.serial);
  }
}

/** How a bus of its own is reached. */
function overOf({ serial, tcp }: Pick<ModbusBusConfig, 'serial' | 'tcp'>): LineOver {
  if (serial !== undefined) return { kind: 'serial', ...serial };
  if (tcp !== undefined) return { kind: 'tcp', ...tcp };
  throw new Error('a bus has neither a line nor a port');
}

/** A terminal that dials in needs no turnaround: nobody shares its connection. */
function timingOf(over: LineOver): LineTiming {
  return over.kind === 'dialIn' ? { turnaroundMs: 0, latencyMs: over.latencyMs } : over;
}

function inWords(over: LineOver): string {
  switch (over.kind) {
    case 'serial':
      return `serial ${over.path} at ${over.baud} baud`;
    case 'tcp':
      return `tcp ${over.host} port ${over.port}${over.baud === undefined ? '' : `, ${over.baud} baud behind it`}`;
    case 'dialIn':
      return `terminal ${over.serial} dials in`;
  }
}

function nowhere(): Promise<void> {
  return Promise.resolve();
}

function baudOf({ lines }: SiteConfig, terminal: string): number | undefined {
  const line = lines.find(({ terminals }) => terminals.some(({ name }) => name === terminal));
  return line === undefined || line.over.kind === 'dialIn' ? undefined : line.over.baud;
}

/** Whether a terminal is portable shows when it is greeted; before its log is read, for that decides what is done. */
function keepKind(site: Site, driver: TerminalDriver, changed: () => void): void {
  driver.watch({
    online: () => {
      const portable = driver.portable !== undefined;
      if (!site.setPortable(driver.name, portable)) return;
      site.store.tasks.savePortable(driver.name, portable).then(changed, (error: unknown) => {
        site.setPortable(driver.name, !portable);
        site.log.error({ terminal: driver.name }, `${driver.name}: ${describe(error)}`);
      });
    },
    offline: () => undefined,
    quarantined: () => undefined,
    attention: () => undefined,
  });
}

function terminalStatuses({ config, drivers }: Wired): TerminalStatus[] {
  return drivers.map((driver, index) => ({
    name: driver.name,
    line: config.name,
    address: driver.peer.address,
    groups: config.terminals[index]?.groups ?? [],
    ...driver.status(),
  }));
}
