import { machine as thisMachine, openStore } from '@whorl/gateway';
import type { Connection, Gateway, LineConfig, Log, Store } from '@whorl/gateway';
import { seededRandom, VirtualClock } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { SimulatedMachine } from '../powerloss/machine.ts';
import { Company } from './beside.ts';
import type { Beside } from './beside.ts';
import type { Between } from './between.ts';
import { emulatedParts, starter, untilBy } from './parts.ts';
import type { Rig, RigPlan } from './rig.ts';
import type { BenchRecord } from './wiring.ts';
import { linesOf, makeBench, MemoryCable, pairAll } from './wiring.ts';

const PATIENCE_MS = 60_000;
/** Conditions that ask the store are looked at this often. */
const LOOK_MS = 20;
/** The store's random numbers are others than the gateway's; below 100, where those of terminals begin. */
const STORE_SEED = 50;

export interface MemoryOptions {
  readonly log?: Log;
  /** Makes what takes each line, to tap it. */
  readonly tap?: (clock: Clock) => BenchRecord['tap'];
  readonly tellKeys?: BenchRecord['tellKeys'];
  /** Told of what the gateway says on a line, before anything becomes of it there. */
  readonly said?: (line: string, bytes: Uint8Array) => void;
  /** Who has cut which lines. */
  readonly between?: Readonly<Record<string, Between>>;
  /** Where the gateway keeps its data; in memory unless it says. */
  readonly data?: string | undefined;
  /** What the gateway runs on instead. */
  readonly machine?: SimulatedMachine | undefined;
  /** Made on the rig's clock. */
  readonly beside?: ((clock: Clock) => Beside) | undefined;
}

export interface MemoryRig extends Rig {
  readonly clock: VirtualClock;
  /** The gateway's database, for looking into it. */
  readonly database: Connection;
  /** The simulated machine loses power, if it has not yet, and comes back. */
  losePower(): Promise<void>;
  /** Does something with the gateway's data while it is stopped. */
  whileStopped(work: () => Promise<void>): Promise<void>;
  /** Does something while the gateway is stopped; its store stays open. */
  whileOff(work: (store: Store) => Promise<void>): Promise<void>;
}

/** A site in memory and virtual time: exact, repeatable, fast. */
export async function memoryRig(plan: RigPlan, options: MemoryOptions = {}): Promise<MemoryRig> {
  const clock = new VirtualClock();
  const tap = options.tap?.(clock);
  const bench = makeBench(plan, clock, 'memory', { tap, tellKeys: options.tellKeys });
  const { terminals, media } = bench;
  const cables = new Map(
    [...media].map(([name, medium]) => {
      const said = options.said?.bind(undefined, name);
      return [name, new MemoryCable(medium, options.between?.[name], said)];
    }),
  );
  const places = placesOf(plan, options);
  let store = places.open();
  await pairAll(store, terminals);
  const lines = linesOf(plan, () => wireOf(plan));
  const starting = starter(plan, {
    ...{ clock, log: options.log, renewalMs: plan.renewalMs },
    open: (line) => cables.get(line.name)?.open,
  });
  const beside = new Company(options.beside?.(clock));
  const start = async (groups: Readonly<Record<string, readonly number[]>> = {}): Promise<Gateway> =>
    beside.joined(await starting(store, regrouped(lines, groups)));
  const stop = (): Promise<void> => beside.stop(gateway);
  let gateway = await start();
  // What the gateway says after the power went reaches nobody.
  if (options.machine !== undefined)
    options.machine.disk.onLost = () => {
      beside.cut();
      for (const cable of cables.values()) void cable.unplug();
    };
  const through = <T>(work: Promise<T>): Promise<T> => passing(clock, work);
  return {
    kind: 'memory',
    clock,
    get gateway() {
      return gateway;
    },
    ...emulatedParts(bench, cables, { plan, clock }),
    until: untilBy({
      ...{ clock, lookMs: LOOK_MS, patienceMs: PATIENCE_MS },
      pass: (ms) => clock.run({ forMs: ms }),
    }),
    async pass(ms) {
      await clock.run({ forMs: ms });
    },
    async restartGateway({ groups } = { groups: {} }) {
      await through(stop());
      gateway = await start(groups);
    },
    async whileStopped(work) {
      await through(stop());
      await store.close();
      await work();
      store = places.open();
      gateway = await start();
    },
    get database() {
      return places.database();
    },
    async losePower() {
      if (options.machine?.disk.lost === false) options.machine.disk.cut();
      for (const cable of cables.values()) await cable.unplug();
      await through(stop().catch(() => undefined));
      await store.close().catch(() => undefined);
      options.machine?.comeBack();
      store = places.open();
      for (const cable of cables.values()) await cable.plug();
      gateway = await start();
    },
    async whileOff(work) {
      await through(stop());
      await work(store);
      gateway = await start();
    },
    events: () => store.events({ limit: 100_000 }),
    async close() {
      await through(stop());
      await store.close();
    },
  };
}

/** A line in memory, as the gateway reaches it. */
function wireOf({ baud = 115_200, turnaroundMs = 1, latencyMs = 2 }: RigPlan): LineConfig['over'] {
  return { kind: 'serial', path: 'memory', baud, turnaroundMs, latencyMs };
}

/** Where a rig's gateway keeps its data. */
function placesOf(
  plan: RigPlan,
  {
    data = { memory: true },
    machine,
  }: Readonly<Pick<MemoryOptions, 'machine'>> & {
    readonly data?: string | { readonly memory: true } | undefined;
  },
): { open(): Store; database(): Connection } {
  const random = seededRandom((plan.seed ?? 1) + STORE_SEED);
  const bytes = (length: number): Uint8Array => random.bytes(length);
  let opened: Connection | undefined;
  // The first is the gateway's; others are opened beside it, to look into what lies aside.
  const connect = (path: string): Connection => {
    const connection = unhurried(thisMachine.connect(path));
    opened ??= connection;
    return connection;
  };
  return {
    open() {
      opened = undefined;
      const ground = { ...thisMachine, connect };
      return machine?.open('/site/data', bytes) ?? openStore({ data, ground }, bytes);
    },
    database() {
      const database = machine?.database ?? opened;
      if (database === undefined) throw new Error('no database was opened yet');
      return database;
    },
  };
}

/** Nothing here is lost with the machine: nobody waits for its disk. */
function unhurried(connection: Connection): Connection {
  const exec = connection.exec.bind(connection);
  connection.exec = (sql) => exec(sql.replace('synchronous = FULL', 'synchronous = OFF'));
  return connection;
}

/** Lets virtual time pass while something that needs it goes on. */
async function passing<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  await clock.run({ forMs: PATIENCE_MS, done: () => over });
  return ended;
}

function regrouped(
  lines: readonly LineConfig[],
  groups: Readonly<Record<string, readonly number[]>>,
): LineConfig[] {
  return lines.map((line) => ({
    ...line,
    terminals: line.terminals.map((one) => ({ ...one, groups: [...(groups[one.name] ?? one.groups)] })),
  }));
}
