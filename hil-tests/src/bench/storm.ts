import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sleep, systemClock } from '@whorl/protocol';
import type { ApiClientApi } from './processes/api-client.ts';
import type { GatewayApi, GatewayState } from './processes/gateway.ts';
import { startHelper } from './processes/process.ts';
import type { Helper } from './processes/process.ts';
import type { TerminalsApi } from './processes/terminals.ts';
import { freePort, modulePath, quantile } from './tcp.ts';

const TERMINALS = 32;
/** Requests to the API: below what one address may ask for. */
const EVERY_MS = 10;
const LOOK_MS = 1_000;
/**
 * What the gateway may hold of a storm: each terminal waits until a page of its log is stored before it is asked for the
 * next, so that it is the same whether a thousand changes arrive or a million.
 */
const MOST_HEAP_MB = 300;
/** With what its threads hold, and the database's cache. */
const MOST_MB = 800;

interface Storm {
  readonly gateway: Helper<GatewayApi>;
  readonly terminals: Helper<TerminalsApi>;
  readonly client: Helper<ApiClientApi>;
}

/**
 * People at 32 terminals on TCP edit 10,000 users a hundred times each while somebody uses the API: what its answers
 * take then and before, and how often a user is fetched. Quick: 320 users, ten times each.
 */
export async function benchStorm({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  const usersEach = quick ? 10 : 313;
  const editsEach = usersEach * (quick ? 10 : 100);
  const idleMs = quick ? 1_000 : 30_000;
  const directory = mkdtempSync(join(resolve('.'), '.bench-'));
  const storm: Storm = {
    gateway: startHelper<GatewayApi>(modulePath('gateway')),
    terminals: startHelper<TerminalsApi>(modulePath('terminals')),
    client: startHelper<ApiClientApi>(modulePath('api-client')),
  };
  const { gateway, terminals, client } = storm;
  try {
    const port = await freePort();
    const place = await gateway.ask('start', { directory, terminals: TERMINALS, port });
    await terminals.ask('start', { count: TERMINALS, port, logs: editsEach + 1_000 });
    await until(gateway, ({ online }) => online === TERMINALS);
    await client.ask('begin', { ...place, everyMs: EVERY_MS, users: TERMINALS * usersEach });
    await sleep(systemClock, 2_000);
    await client.ask('take', null);
    await sleep(systemClock, idleMs);
    const idle = await answersOf(storm);
    await terminals.ask('edit', { usersEach, editsEach });
    const over = await until(
      gateway,
      ({ users, openPulls, logs }) =>
        openPulls === 0 && users >= TERMINALS * usersEach && logs >= TERMINALS * editsEach,
    );
    const stormy = await answersOf(storm);
    process.stderr.write(
      `storm: API p99 ${idle.toFixed(1)} ms idle, ${stormy.toFixed(1)} ms in the storm; heap ${Math.round(over.heapMb)} MB\n`,
    );
    return {
      'storm.api_p99_ratio': stormy / idle,
      'storm.pulls_per_user': over.merges / (TERMINALS * usersEach),
    };
  } finally {
    await Promise.all([client.end(), terminals.end(), gateway.end()]);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** p99 of the answers since the last time. @throws Error when a request failed */
async function answersOf({ client }: Storm): Promise<number> {
  const { took, failed } = await client.ask('take', null);
  const [first] = failed;
  if (first !== undefined) throw new Error(`${failed.length} requests to the API failed, first ${first}`);
  return quantile(took, 0.99);
}

async function until(
  gateway: Helper<GatewayApi>,
  condition: (state: GatewayState) => boolean,
): Promise<GatewayState> {
  for (;;) {
    const state = await gateway.ask('state', null);
    const { online, logs, users, openPulls, heapMb, rssMb, lateMs } = state;
    process.stderr.write(
      `storm: ${online} online, ${logs} logs, ${users} users, ${openPulls} pulls open, heap ${Math.round(heapMb)} of ${Math.round(rssMb)} MB, loop ${lateMs.toFixed(1)} ms late\n`,
    );
    if (heapMb > MOST_HEAP_MB || rssMb > MOST_MB)
      throw new Error(
        `the gateway grew to ${Math.round(heapMb)} MB of heap, ${Math.round(rssMb)} MB in all, past ${MOST_HEAP_MB} and ${MOST_MB}`,
      );
    if (condition(state)) return state;
    await sleep(systemClock, LOOK_MS);
  }
}
