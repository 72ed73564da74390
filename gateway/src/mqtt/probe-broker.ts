import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { brokerPlace } from '../settings/mqtt.ts';
import type { BrokerPlace } from '../settings/mqtt.ts';
import { tlsTrouble } from '../settings/tls-trouble.ts';
import type { ProbeStep } from '../sites/probe.ts';
import { readAuthority } from './ways.ts';

/** Steps on the way to a broker, each on a connection of its own on which nothing is said. */
export function brokerProbe(
  clock: Pick<Clock, 'wallTime'>,
  { url, ca }: { readonly url: string; readonly ca?: string | undefined },
): readonly ProbeStep[] {
  const place = brokerPlace(url);
  if (place === undefined) return [];
  const { host, port } = place;
  return [
    { step: 'name', look: () => nameOf(host) },
    {
      step: 'port',
      look: async (signal) => {
        const socket = await opened(connect({ host, port }), 'connect', signal).catch((cause: unknown) => {
          throw new WhorlError('SITES_PORT', `${host}:${port}: ${describe(cause)}`, { cause });
        });
        const { remoteAddress = host } = socket;
        socket.destroy();
        return `${remoteAddress} answers at port ${port}`;
      },
    },
    { step: 'tls', look: (signal) => tlsOf(place, { ca, clock }, signal) },
  ];
}

async function nameOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return `${host} is an address`;
  try {
    const found = await lookup(host, { all: true });
    return `${host} is ${found.map(({ address }) => address).join(', ')}`;
  } catch (cause) {
    throw new WhorlError('SITES_NAME', `${host}: ${describe(cause)}`, { cause });
  }
}

async function tlsOf(
  { host, port, tls }: BrokerPlace,
  { ca, clock }: { readonly ca: string | undefined; readonly clock: Pick<Clock, 'wallTime'> },
  signal: AbortSignal,
): Promise<string> {
  if (!tls) return 'none needed on this machine';
  const socket = connectTls({
    ...{ host, port },
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca: readAuthority(ca) }),
  });
  await opened(socket, 'secureConnect', signal).catch((cause: unknown) => {
    throw new WhorlError('SITES_TLS', `${host}:${port}: ${tlsTrouble(cause, clock.wallTime())}`, { cause });
  });
  const { valid_to: until } = socket.getPeerCertificate();
  const protocol = socket.getProtocol() ?? 'TLS';
  socket.destroy();
  return `${protocol}, the certificate is valid until ${new Date(until).toISOString().slice(0, 10)}`;
}

/** @returns when it is open. @throws what kept it from that */
function opened<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const abort = (): void => void socket.destroy(new Error('it did not answer in time'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('it was closed by the other end')));
    socket.once(event, () => {
      signal.removeEventListener('abort', abort);
      resolve(socket);
    });
  });
}
