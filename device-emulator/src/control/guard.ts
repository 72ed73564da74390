import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { RequestError } from '../values/given.ts';

/**
 * Refuses what a page of somebody else's in a browser on this machine asks: by a name that it points here, or across
 * origins. Programs send neither Origin nor Sec-Fetch-Site.
 * @throws RequestError
 */
export function refuseForeignPages({ hostname, host, headers }: FastifyRequest): void {
  const name = hostname.replace(/^\[(.*)\]$/, '$1');
  if (name !== 'localhost' && isIP(name) === 0)
    throw new RequestError('host', `call it 127.0.0.1, not ${hostname}`);
  const { origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined && origin !== `http://${host}`)
    throw new RequestError('origin', `pages of ${origin} may not ask anything here`);
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new RequestError('origin', 'pages of other places may not ask anything here');
}
