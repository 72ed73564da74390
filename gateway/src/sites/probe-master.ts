import { WhorlError } from '@whorl/protocol';
import type { Conversation } from './conversation.ts';
import type { SitesGround } from './ground.ts';
import { SITES_PROTOCOL } from './login-words.ts';
import { clockText, probe } from './probe.ts';
import type { Probe, ProbeStep } from './probe.ts';
import type { AnswerOf } from './requests.ts';
import type { Satellite } from './satellite.ts';

/** Round trips that are measured. */
const TRIPS = 3;

export interface MasterProbeParts {
  readonly ground: SitesGround;
  /** Name of the master that is expected. */
  readonly master: string;
  readonly syncId: number;
  readonly satellite: Satellite;
  /** Steps on the way to the broker. */
  readonly way: readonly ProbeStep[];
}

/**
 * A satellite looks at the connection to its master. A session that is there is used, between the questions of an exchange;
 * else it logs in for this only, which binds nothing and hands out no token.
 */
export async function probeMaster(parts: MasterProbeParts): Promise<readonly Probe[]> {
  const { ground, way, satellite } = parts;
  const done = Promise.withResolvers<undefined>();
  const logged = Promise.withResolvers<{ readonly talk: Conversation; readonly own: boolean }>();
  logged.promise.catch(() => undefined);
  let borrowed: Promise<void> = Promise.resolve();
  const session = { had: false, own: false };
  const steps = [
    ...way,
    {
      step: 'login',
      look: async (signal: AbortSignal) => {
        borrowed = satellite.borrow(signal, async (talk, own) => {
          logged.resolve({ talk, own });
          await done.promise;
        });
        borrowed.catch((error: unknown) => logged.reject(error));
        const { own } = await logged.promise;
        [session.had, session.own] = [true, own];
        return own
          ? `logged in at ${parts.master}, for this look`
          : `${parts.master} knows this site's session`;
      },
    },
    ...sessionSteps(parts, async () => (await logged.promise).talk),
    {
      step: 'password',
      // A session goes on whatever has become of the file: only the next login would tell.
      look: async (signal: AbortSignal) => {
        if (!session.own) await satellite.tryPassword(signal);
        return 'the broker lets this site in with the one of its file';
      },
    },
  ];
  const probes = await probe(ground.clock, steps);
  done.resolve(undefined);
  if (session.had) await borrowed.catch(() => undefined);
  return probes;
}

function sessionSteps(
  { ground, master, syncId }: MasterProbeParts,
  talking: () => Promise<Conversation>,
): readonly ProbeStep[] {
  const asked: { pong?: AnswerOf<'ping'>; apartMs?: number; trips: number[] } = { trips: [] };
  const ping = async (): Promise<AnswerOf<'ping'>> => {
    const { answer, ms } = await (await talking()).ask({ ask: 'ping' });
    asked.trips.push(ms);
    asked.apartMs = answer.time + ms / 2 - ground.site.now;
    return answer;
  };
  return [
    {
      step: 'id',
      look: async () => {
        const pong = await ping();
        asked.pong = pong;
        if (pong.name !== master)
          throw new WhorlError('SITES_CLASH', `the master is called ${pong.name}, not ${master}`);
        if (pong.site !== ground.name || pong.syncId !== syncId)
          throw new WhorlError('SITES_CLASH', `sync id ${syncId} is that of ${pong.site} at the master`);
        return `sync id ${syncId}, ${pong.site}; ${pong.bound ? 'bound to this machine' : 'not bound to a machine yet'}`;
      },
    },
    {
      step: 'version',
      untimed: true,
      look: () => Promise.resolve(versionText(ground.version, asked.pong?.version ?? '')),
    },
    { step: 'clock', untimed: true, alone: true, look: async () => clockText(asked.apartMs ?? 0) },
    {
      step: 'round trip',
      untimed: true,
      look: async () => {
        while (asked.trips.length < TRIPS) await ping();
        const [least, most] = [Math.min(...asked.trips), Math.max(...asked.trips)];
        return `${Math.round(least)} to ${Math.round(most)} ms, ${TRIPS} times`;
      },
    },
  ];
}

/** Sessions are only had with one who speaks the same version of the sync. */
export function versionText(own: string, theirs: string): string {
  const same = own === theirs ? `both run release ${own}` : `release ${own} here, ${theirs} there`;
  return `${same}; version ${SITES_PROTOCOL} of the sync`;
}
