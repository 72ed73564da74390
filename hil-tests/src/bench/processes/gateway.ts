import { mkdirSync, writeFileSync } from 'node:fs';
import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { loadConfig, makeLog, openStore, startService } from '@whorl/gateway';
import type { Service } from '@whorl/gateway';
import { Access } from '@whorl/gateway/access/access';
import { systemClock } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { keyFor } from '../../rig/wiring.ts';
import { serve } from './process.ts';

/** The whole service, as `whorl start` runs it. */
export interface GatewayApi {
  start(given: {
    directory: string;
    terminals: number;
    port: number;
  }): Promise<{ url: string; token: string }>;
  state(given: null): Promise<GatewayState>;
  /** Listens in on every n-th line from now on. */
  sample(given: { every: number }): Promise<void>;
  /** Milliseconds from request to answer on those lines; listening ends. */
  sampled(given: null): readonly number[];
}

export interface GatewayState {
  readonly online: number;
  readonly exchanges: number;
  readonly timeouts: number;
  /** Processor time of this process, milliseconds, and when that was. */
  readonly cpuMs: number;
  readonly atMs: number;
  readonly heapMb: number;
  readonly rssMb: number;
  /** How late the event loop was since the last look, milliseconds: p99. */
  readonly lateMs: number;
  /** Last log record stored, summed over the terminals. */
  readonly logs: number;
  readonly openPulls: number;
  readonly users: number;
  /** Merges of pulled users that were stored. */
  readonly merges: number;
}

const random: Random = { below: (bound) => randomInt(bound), bytes: (length) => randomBytes(length) };

const delay = monitorEventLoopDelay({ resolution: 1 });

let service: Service | undefined;
let merges = 0;
let stops: (() => void)[] = [];
let times: number[] = [];

async function start({ directory, terminals, port }: Parameters<GatewayApi['start']>[0]) {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'whorl.yaml');
  const names = Array.from({ length: terminals }, (_, index) => `t${index + 1}`);
  const lines = names.map((name) => ({
    name,
    dialIn: { serial: `EM-${name}` },
    terminals: [{ name }],
  }));
  writeFileSync(file, JSON.stringify({ listen: { host: '127.0.0.1', port }, http: { port: 0 }, lines }));
  const config = loadConfig(file);
  const token = await prepare(config.data, names);
  delay.enable();
  service = await startService(config, makeLog('info', true));
  await service.gateway.operations.changeSettings({ merge: { name: 'terminal-wins' } });
  service.gateway.hub.subscribe(({ type }) => {
    if (type === 'user.merged') merges += 1;
  });
  return { url: service.http.place?.url ?? '', token };
}

/** Terminals that were paired before, and a program's token. */
async function prepare(data: string, names: readonly string[]): Promise<string> {
  const store = openStore({ data });
  const pairings = names.map((terminal) => {
    const serial = `EM-${terminal}`;
    return [serial, { terminal, key: keyFor(serial) }] as const;
  });
  await store.savePairings(new Map(pairings), []);
  const access = new Access({ store: store.access, clock: systemClock, random });
  await access.addAccount({ name: 'bench', role: 'admin', password: randomBytes(24).toString('hex') });
  const { token } = await access.makeToken({ account: 'bench', label: 'bench', role: 'viewer', days: 1 });
  await store.close();
  return token;
}

async function state(): Promise<GatewayState> {
  if (service === undefined) throw new Error('not started');
  const { operations, store } = service.gateway;
  const status = await operations.status();
  const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
  const { user, system } = process.cpuUsage();
  const { heapUsed, rss } = process.memoryUsage();
  const lateMs = delay.percentile(99) / 1e6;
  delay.reset();
  return {
    online: status.terminals.filter(({ state }) => state === 'online').length,
    exchanges: sum(status.lines.map(({ counters }) => counters.exchanges)),
    timeouts: sum(status.lines.map(({ counters }) => counters.timeouts)),
    cpuMs: (user + system) / 1000,
    atMs: performance.now(),
    heapMb: heapUsed / 1e6,
    rssMb: rss / 1e6,
    lateMs,
    logs: sum((await store.terminals()).map(({ position }) => position.id)),
    openPulls: status.openPulls,
    users: status.users,
    merges,
  };
}

async function sample({ every }: { every: number }): Promise<void> {
  const status = await service?.gateway.operations.status();
  for (const [index, { name }] of (status?.lines ?? []).entries()) {
    if (index % every !== 0) continue;
    let asked: number | undefined;
    const stop = service?.gateway.operations.tap(name)((_bytes, direction) => {
      if (direction === 'to-terminal') asked = performance.now();
      else if (asked !== undefined) {
        times.push(performance.now() - asked);
        asked = undefined;
      }
    });
    if (stop !== undefined) stops.push(stop);
  }
}

function sampled(): readonly number[] {
  for (const stop of stops) stop();
  const all = times;
  stops = [];
  times = [];
  return all;
}

serve<GatewayApi>({ start, state, sample, sampled }, async () => service?.stop());
