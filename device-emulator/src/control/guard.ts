import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { RequestError } from '../values/given.ts';

/** Pages that a browser goes to by itself: to come to it from a page elsewhere does nothing here. */
const PAGE = '/';

/**
 * Refuses what a page of somebody else's in a browser on this machine asks: by a name that it points here, or across
 * origins. Programs send neither Origin nor Sec-Fetch-Site.
 * @param called names that this is called by besides addresses and `localhost`
 * @throws RequestError
 */
export function refuseForeignPages(
  { hostname, host, headers, method, url }: FastifyRequest,
  called: readonly string[] = [],
): void {
  const name = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (name !== 'localhost' && isIP(name) === 0 && !called.includes(name))
    throw new RequestError('host', `call it 127.0.0.1 or localhost, not ${hostname || 'by no name'}`);
  const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers;
  if (origin !== undefined && origin !== `http://${host}`)
    throw new RequestError('origin', `pages of ${origin} may not ask anything here`);
  if (method === 'GET' && url === PAGE && mode === 'navigate') return;
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new RequestError('origin', 'pages of other places may not ask anything here');
}
