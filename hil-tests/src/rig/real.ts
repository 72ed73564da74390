import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { listeningCable, ptyCable } from '@whorl/device-emulator';
import type { Cable } from '@whorl/device-emulator';
import { machineInRealTime, openStore, openStoreThread } from '@whorl/gateway';
import type { Gateway, LineConfig, Log, Store } from '@whorl/gateway';
import { sleep, systemClock } from '@whorl/protocol';
import { emulatedParts, starter, untilBy } from './parts.ts';
import type { Rig, RigPlan } from './rig.ts';
import type { BenchRecord } from './wiring.ts';
import { known, linesOf, makeBench, pairAll } from './wiring.ts';
import { scratchFolder } from './scratch.ts';

const PATIENCE_MS = 30_000;
const LOOK_MS = 10;

export interface RealRig extends Rig {
  /** The gateway's data directory. */
  readonly data: string;
  /** Does something with the gateway's data directory while it is stopped. */
  whileStopped(work: (data: string) => Promise<void>): Promise<void>;
}

/**
 * A site on real ports and in real time: kernel pseudo-terminals or TCP, an SQLite file on disk.
 * @param options.ground URL of a module whose `ground` the store stands on, in a thread of its own
 */
export async function realRig(
  kind: 'pty' | 'tcp',
  plan: RigPlan,
  options: { log?: Log; ground?: string } & BenchRecord = {},
): Promise<RealRig> {
  const clock = systemClock;
  const baud = plan.baud ?? 115_200;
  const directory = scratchFolder('whorl-rig');
  const data = join(directory, 'data');
  const bench = makeBench(plan, clock, kind, options);
  const { terminals, media } = bench;
  const cables = new Map<string, Cable>();
  const ports = new Map<string, number>();
  for (const [name, medium] of media) {
    const place = { host: '127.0.0.1', port: 0 };
    const listening = kind === 'tcp' ? listeningCable(medium, place) : undefined;
    const cable = listening ?? ptyCable(medium, { link: join(directory, `${name}.line`) });
    cables.set(name, cable);
    await cable.plug();
    if (listening !== undefined) ports.set(name, listening.port());
  }
  const over = (line: string): LineConfig['over'] =>
    kind === 'pty'
      ? { kind: 'serial', path: join(directory, `${line}.line`), baud, turnaroundMs: 2, latencyMs: 60 }
      : { kind: 'tcp', host: '127.0.0.1', port: known(ports, line), turnaroundMs: 2, latencyMs: 300 };
  const starting = starter(plan, { clock, log: options.log });
  let store: Store;
  const start = async (): Promise<Gateway> => {
    store = await opened(data, options.ground);
    await pairAll(store, terminals);
    return starting(store, linesOf(plan, over));
  };
  const pass = (ms: number): Promise<void> => sleep(clock, ms);
  let gateway = await start();
  const stop = async (): Promise<void> => {
    await gateway.stop();
    await store.close();
  };
  const whileStopped: RealRig['whileStopped'] = async (work) => {
    await stop();
    await work(data);
    gateway = await start();
  };
  return {
    kind,
    data,
    get gateway() {
      return gateway;
    },
    ...emulatedParts(bench, cables, { plan, clock }),
    until: untilBy({ clock, pass, lookMs: LOOK_MS, patienceMs: PATIENCE_MS }),
    pass,
    restartGateway: () => whileStopped(() => Promise.resolve()),
    whileStopped,
    events: () => store.events({ limit: 100_000 }),
    async close() {
      await stop();
      for (const cable of cables.values()) await cable.unplug();
      for (const terminal of terminals.values()) terminal.powerOff();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function opened(data: string, ground: string | undefined): Promise<Store> {
  return ground === undefined
    ? openStore({ data, ground: machineInRealTime })
    : openStoreThread({ data, ground });
}
