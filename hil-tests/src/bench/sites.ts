import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sleep, systemClock } from '@whorl/protocol';
import { startHelper } from './processes/process.ts';
import type { Helper } from './processes/process.ts';
import type { SatellitesApi } from './processes/satellites.ts';
import type { SiteApi, SiteState } from './processes/site.ts';
import { freePort, modulePath } from './tcp.ts';

const LOOK_MS = 20;
const PATIENCE_MS = 300_000;
/** Publishes that wait for their acknowledgement at once: more make the broker no faster. */
const AT_ONCE = 64;

/**
 * A satellite and its master, each a process as `whorl start` runs it, over the master's own broker: how long a fresh
 * one takes until it has all users; and how many rows a second (users with all their templates, and events) are stored
 * at the master of what a satellite did while it was away, beside bare messages of QoS 1 through the same broker. Ten
 * events a user.
 */
export async function benchSites({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  const [users, enrolled] = quick ? [500, 100] : [10_000, 1_000];
  const events = 10 * enrolled;
  const directory = mkdtempSync(join(resolve('.'), '.bench-'));
  const [master, site] = [startSite(), startSite()];
  try {
    const port = await freePort();
    const at = (name: string): string => join(directory, name);
    await master.ask('fill', { directory: at('hq'), users, sites: 1 });
    await master.ask('start', { directory: at('hq'), syncId: 1, port });
    const rate = await site.ask('raw', { port, syncId: 2, messages: quick ? 500 : 20_000, atOnce: AT_ONCE });
    const before = await master.ask('state', null);
    await site.ask('start', { directory: at('fresh'), syncId: 2, port });
    const fresh = await until(site, ({ complete, tookMs }) => complete && tookMs !== undefined);
    const filled = await master.ask('state', null);
    process.stderr.write(
      `sites: ${fresh.users} users in ${fresh.tookMs ?? 0} ms; the master ${((filled.cpuMs - before.cpuMs) / users).toFixed(3)} ms of a core a user, the satellite ${(fresh.cpuMs / users).toFixed(3)}\n`,
    );
    const up = await upward({ directory: at('away'), enrolled, events });
    const rows = enrolled + up.events;
    process.stderr.write(
      `sites: ${rows} rows up in ${up.ms} ms, ${Math.round((1000 * rows) / up.ms)} a second, the master ${(up.cpuMs / rows).toFixed(3)} ms of a core each; ${Math.round(rate)} messages a second raw\n`,
    );
    const cost = await costs(quick ? [2, 4] : [4, 16, 63], { directory: at('many'), times: quick ? 2 : 10 });
    return {
      ...cost,
      'sites.init_s': (fresh.tookMs ?? Number.NaN) / 1000,
      'sites.up_rows_per_s_ratio': (1000 * rows) / up.ms / rate,
      'sites.cost_user_down_ms': (filled.cpuMs - before.cpuMs) / users,
      'sites.cost_row_up_ms': up.cpuMs / rows,
    };
  } finally {
    await Promise.all([master.end(), site.end()]);
    rmSync(directory, { recursive: true, force: true });
  }
}

function startSite(): Helper<SiteApi> {
  return startHelper<SiteApi>(modulePath('site'));
}

/** A satellite that was away comes to a master of its own, which has nobody yet. */
async function upward(it: {
  directory: string;
  enrolled: number;
  events: number;
}): Promise<{ ms: number; cpuMs: number; events: number }> {
  const [master, site] = [startSite(), startSite()];
  const [above, below] = ['hq', 'site'].map((name) => join(it.directory, name));
  try {
    const port = await freePort();
    await master.ask('fill', { directory: above ?? '', users: 0, sites: 1 });
    await master.ask('start', { directory: above ?? '', syncId: 1, port });
    const { enrolled, events } = it;
    const last = await site.ask('enrol', { directory: below ?? '', syncId: 2, users: enrolled, events });
    const before = await master.ask('state', null);
    const taken = master.ask('taken', { syncId: 2, events: last });
    await site.ask('start', { directory: below ?? '', syncId: 2, port });
    const ms = await taken;
    const now = await master.ask('state', null);
    return { ms, cpuMs: now.cpuMs - before.cpuMs, events: last };
  } finally {
    await Promise.all([master.end(), site.end()]);
  }
}

/**
 * What an exchange of a satellite that has nothing new costs its master: processor time and memory, with more and more
 * satellites at one master; and how long it takes, one after the other, with most of them.
 */
async function costs(
  counts: readonly number[],
  { directory, times }: { directory: string; times: number },
): Promise<Record<string, number>> {
  const [master, others] = [startSite(), startHelper<SatellitesApi>(modulePath('satellites'))];
  const figures: Record<string, number> = {};
  try {
    const port = await freePort();
    await master.ask('fill', { directory, users: 200, sites: Math.max(...counts) });
    await master.ask('start', { directory, syncId: 1, port });
    for (const count of counts) {
      await others.ask('start', { count, port });
      const before = await master.ask('state', null);
      await others.ask('exchange', { times });
      const after = await master.ask('state', null);
      const each = (after.cpuMs - before.cpuMs) / (times * count);
      const took = (after.atMs - before.atMs) / (times * count);
      process.stderr.write(
        `sites: ${count} satellites: an exchange takes ${took.toFixed(1)} ms, ${each.toFixed(2)} of them of a core; ${Math.round(after.rssMb)} MB\n`,
      );
      figures['sites.exchange_ms'] = took;
      figures[`sites.cost_exchange_ms_${count}`] = each;
      figures[`sites.cost_mb_${count}`] = after.rssMb;
    }
    return figures;
  } finally {
    await Promise.all([master.end(), others.end()]);
  }
}

async function until(site: Helper<SiteApi>, condition: (state: SiteState) => boolean): Promise<SiteState> {
  for (const end = systemClock.now() + PATIENCE_MS; systemClock.now() < end;) {
    const state = await site.ask('state', null);
    if (state.trouble !== undefined) throw new Error(`the satellite says: ${state.trouble}`);
    if (condition(state)) return state;
    await sleep(systemClock, LOOK_MS);
  }
  throw new Error('the satellite does not come to an end');
}
