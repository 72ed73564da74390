import { WhorlError } from '@whorl/protocol';
import type { SitesGround } from './ground.ts';
import type { Master } from './master.ts';
import { clockText, probe } from './probe.ts';
import type { Probe } from './probe.ts';
import { versionText } from './probe-master.ts';

/**
 * A master looks at the connection to a satellite. A master begins no connection: what it can see is whether the satellite
 * is at the broker and has logged in, and whether it answers in the session that it has.
 * @throws WhorlError SITES_UNKNOWN
 */
export async function probeSite(
  ground: SitesGround,
  master: Master,
  name: string,
): Promise<readonly Probe[]> {
  const { syncId, binding } = master.list.named(name);
  const heard: { echo?: { ms: number; version: string; apartMs: number } } = {};
  const steps = [
    { step: 'list', untimed: true, look: async () => `sync id ${syncId}, ${name}` },
    {
      step: 'broker',
      untimed: true,
      look: async () => {
        const { online, trouble } = master.state(syncId);
        if (online) return `${name} is at the broker`;
        const why =
          trouble === undefined ? '' : `; what it failed with last: ${trouble.code}, ${trouble.text}`;
        throw new WhorlError('SITES_AWAY', `${name} is not at the broker${why}`);
      },
    },
    {
      step: 'login',
      untimed: true,
      look: async () => {
        const host = master.loggedIn(syncId);
        if (host === undefined)
          throw new WhorlError('SITES_AWAY', `${name} has not logged in since the start`);
        return `logged in from ${host}`;
      },
    },
    {
      step: 'id',
      untimed: true,
      look: async () =>
        binding === undefined
          ? 'not bound to a machine yet'
          : `bound to ${binding.host} since ${new Date(binding.since).toISOString().slice(0, 10)}`,
    },
    {
      step: 'round trip',
      look: async (signal: AbortSignal) => {
        heard.echo = await master.echo(syncId, signal);
        return `${Math.round(heard.echo.ms)} ms`;
      },
    },
    {
      step: 'version',
      untimed: true,
      look: async () => versionText(ground.version, heard.echo?.version ?? ''),
    },
    { step: 'clock', untimed: true, look: async () => clockText(heard.echo?.apartMs ?? 0) },
  ];
  return probe(ground.clock, steps);
}
