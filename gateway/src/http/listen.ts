import { hostname } from 'node:os';
import { describe, WhorlError } from '@whorl/protocol';
import type { FastifyInstance } from 'fastify';
import { isHttps } from '../settings/http.ts';
import type { HttpConfig } from '../settings/http.ts';
import { buildApi } from './api.ts';
import type { ApiParts } from './api.ts';
import { fingerprintOf } from './certificate.ts';
import type { ApiPlace } from './place.ts';
import { ANYWHERE, identityOf } from './tls.ts';
import type { IdentityParts } from './tls.ts';

/** The API where others reach it. */
export interface Listening {
  readonly app: FastifyInstance;
  readonly place: ApiPlace;
}

/**
 * Serves the API by address: plain on loopback only.
 * @throws WhorlError HTTP_LISTEN, HTTP_TLS
 */
export async function listen(
  parts: Omit<ApiParts, 'door' | 'tls'>,
  wish: IdentityParts & { readonly config: HttpConfig },
): Promise<Listening> {
  const { config } = wish;
  const tls = isHttps(config) ? identityOf(wish) : undefined;
  const app = buildApi({ ...parts, door: 'network', tls });
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (cause) {
    await app.close();
    throw new WhorlError('HTTP_LISTEN', `${config.host} port ${config.port}: ${describe(cause)}`, { cause });
  }
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : config.port;
  const name = ANYWHERE.includes(config.host) ? hostname() : config.host;
  const host = name.includes(':') ? `[${name}]` : name;
  return {
    app,
    place: {
      url: `${tls === undefined ? 'http' : 'https'}://${host}:${port}`,
      ...(tls === undefined ? {} : { fingerprint: fingerprintOf(tls.cert) }),
    },
  };
}
