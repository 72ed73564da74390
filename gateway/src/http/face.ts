import type { Random } from '@whorl/protocol';
import { Access } from '../access/access.ts';
import type { HttpConfig } from '../settings/http.ts';
import { buildApi } from './api.ts';
import { listen } from './listen.ts';
import type { Listening } from './listen.ts';
import type { ApiPlace } from './place.ts';
import type { Tools } from './route.ts';
import { serveLocally } from './socket.ts';

export interface HttpParts extends Pick<
  Tools,
  | 'operations'
  | 'tasks'
  | 'sites'
  | 'store'
  | 'hub'
  | 'clock'
  | 'audit'
  | 'metrics'
  | 'jobs'
  | 'onFailure'
  | 'elsewhere'
> {
  readonly config: HttpConfig;
  /** Data directory. */
  readonly data: string;
  readonly random: Random;
}

/** The API at work. */
export interface HttpFace {
  /** Where it can be reached by address; `undefined` when it cannot. */
  readonly place: ApiPlace | undefined;
  /** With which the first admin is made; `undefined` when there is an account, or no address to use it at. */
  readonly setupCode: string | undefined;
  stop(): Promise<void>;
}

/** Opens the local socket, and the address that the configuration names. @throws WhorlError GATEWAY_RUNNING, HTTP_*, STORE_* */
export async function startHttp(parts: HttpParts): Promise<HttpFace> {
  const { config, data, clock, random } = parts;
  const access = new Access({ store: parts.store.access, clock, random });
  let listening: Listening | undefined;
  const tools = { ...parts, access, api: () => listening?.place };
  const local = buildApi({ ...tools, door: 'local' });
  await serveLocally(local, data);
  try {
    if (config.enabled) listening = await listen(tools, { config, data, clock, random });
    return {
      place: listening?.place,
      setupCode: listening === undefined ? undefined : await access.offerSetup(),
      async stop() {
        await listening?.app.close();
        await local.close();
      },
    };
  } catch (error) {
    await local.close();
    throw error;
  }
}
