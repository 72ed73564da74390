import { openStore, silentLog, startGateway } from '@whorl/gateway';
import type { Gateway, LineConfig, Log, Store } from '@whorl/gateway';
import { seededRandom, VirtualClock } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { Between } from './between.ts';
import type { Rig, RigPlan } from './rig.ts';
import type { BenchRecord } from './wiring.ts';
import { faultsOn, known, linesOf, makeBench, MemoryCable, pairAll } from './wiring.ts';

const PATIENCE_MS = 60_000;
/** Conditions that ask the store are looked at this often. */
const LOOK_MS = 20;

export interface MemoryOptions {
  readonly log?: Log;
  /** Makes what takes each line, to tap it. */
  readonly tap?: (clock: Clock) => BenchRecord['tap'];
  readonly tellKeys?: BenchRecord['tellKeys'];
  /** Who has cut which lines. */
  readonly between?: Readonly<Record<string, Between>>;
  /** Where the gateway keeps its data; in memory unless it says. */
  readonly data?: string;
}

export interface MemoryRig extends Rig {
  readonly clock: VirtualClock;
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
  const { terminals, media, flashes } = bench;
  const cables = new Map(
    [...media].map(([name, medium]) => [name, new MemoryCable(medium, options.between?.[name])]),
  );
  const data = options.data ?? ({ memory: true } as const);
  let store = openStore({ data });
  await pairAll(store, terminals);
  const baud = plan.baud ?? 115_200;
  const lines = linesOf(plan, () => ({
    kind: 'serial',
    path: 'memory',
    baud,
    turnaroundMs: plan.turnaroundMs ?? 1,
    latencyMs: plan.latencyMs ?? 2,
  }));
  let starts = 0;
  const start = (groups: Readonly<Record<string, readonly number[]>> = {}): Promise<Gateway> =>
    startGateway({
      config: { name: 'rig', lines: regrouped(lines, groups) },
      version: '0.0.0',
      store,
      clock,
      random: seededRandom((plan.seed ?? 1) + (starts += 1)),
      log: options.log ?? silentLog,
      renewalMs: plan.renewalMs,
      open: (line) => cables.get(line.name)?.open,
    });
  let gateway = await start();
  const through = <T>(work: Promise<T>): Promise<T> => passing(clock, work);
  return {
    kind: 'memory',
    clock,
    get gateway() {
      return gateway;
    },
    terminals,
    media,
    flashes,
    terminal: (name) => known(terminals, name),
    ...faultsOn(bench, cables, { plan, clock }),
    until: untilBy(clock),
    async pass(ms) {
      await clock.run({ forMs: ms });
    },
    plug: (line) => known(cables, line).plug(),
    unplug: (line) => known(cables, line).unplug(),
    async restartGateway({ groups } = { groups: {} }) {
      await through(gateway.stop());
      gateway = await start(groups);
    },
    async whileStopped(work) {
      await through(gateway.stop());
      await store.close();
      await work();
      store = openStore({ data });
      gateway = await start();
    },
    async whileOff(work) {
      await through(gateway.stop());
      await work(store);
      gateway = await start();
    },
    events: () => store.events({ limit: 100_000 }),
    async close() {
      await through(gateway.stop());
      await store.close();
    },
  };
}

function untilBy(clock: VirtualClock): Rig['until'] {
  return async (what, condition, { withinMs = PATIENCE_MS } = {}) => {
    for (const end = clock.now() + withinMs; clock.now() < end;) {
      if (await condition()) return;
      await clock.run({ forMs: LOOK_MS });
    }
    throw new Error(`awaited for ${withinMs} ms in vain: ${what}`);
  };
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
