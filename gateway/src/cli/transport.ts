import { request as plainRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { describe, systemClock, WhorlError } from '@whorl/protocol';
import { socketPath } from '../http/socket.ts';
import { isLoopback } from '../settings/loopback.ts';
import { tlsTrouble } from '../settings/tls-trouble.ts';

/** One request as it goes out. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A way to a gateway. @throws WhorlError GATEWAY_UNREACHABLE, GATEWAY_CERTIFICATE */
export type Send = (outgoing: Outgoing) => Promise<IncomingMessage>;

/** Through the socket in a data directory. */
export function localSend(data: string): Send {
  return (outgoing) => ask({ socketPath: socketPath(data) }, outgoing, `no gateway answers for ${data}`);
}

/**
 * To an address.
 * @param fingerprint of the certificate that was accepted; without one, the system has to trust it
 */
export function remoteSend(url: URL, fingerprint: string | undefined): Send {
  const base = url.pathname.replace(/\/$/, '');
  const nobody = `no gateway answers at ${url.origin}`;
  return async ({ path, ...rest }) => {
    const outgoing = { ...rest, path: `${base}${path}`, headers: { ...rest.headers, host: url.host } };
    if (url.protocol === 'http:')
      return ask({ host: hostOf(url), port: Number(url.port || 80) }, outgoing, nobody);
    const socket = await secured(url, fingerprint);
    return ask({ createConnection: () => socket }, outgoing, nobody);
  };
}

/** What an address is written as. @throws WhorlError REQUEST_INVALID; plain HTTP goes nowhere but to this machine */
export function gatewayUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username + url.search + url.hash !== '')
    throw new WhorlError('REQUEST_INVALID', `${text} is no address such as https://gateway.example:7410`);
  if (url.protocol === 'http:' && !isLoopback(hostOf(url)))
    throw new WhorlError('REQUEST_INVALID', `${text}: beyond this machine only https://`);
  return url;
}

/**
 * The certificate that a gateway shows; nothing is sent to it.
 * @returns `untrusted`: why the system does not trust it, when it does not
 * @throws WhorlError GATEWAY_UNREACHABLE
 */
export async function certificateAt(
  url: URL,
): Promise<{ readonly fingerprint: string; readonly untrusted?: string }> {
  const socket = await handshake(url);
  const fingerprint = fingerprintFrom(socket);
  const untrusted = socket.authorized ? {} : { untrusted: whyUntrusted(socket) };
  socket.destroy();
  return { fingerprint, ...untrusted };
}

function whyUntrusted({ authorizationError }: TLSSocket): string {
  const text = 'a certificate that nobody vouches for';
  return tlsTrouble(text, systemClock.wallTime(), String(authorizationError));
}

async function secured(url: URL, fingerprint: string | undefined): Promise<TLSSocket> {
  const socket = await handshake(url);
  const shown = fingerprintFrom(socket);
  const why = whyUntrusted(socket);
  if (fingerprint === undefined ? socket.authorized : shown === fingerprint) return socket;
  socket.destroy();
  throw new WhorlError(
    'GATEWAY_CERTIFICATE',
    fingerprint === undefined
      ? `${url.origin} shows ${why}: ${shown}`
      : `${url.origin} shows ${shown}; accepted was ${fingerprint}`,
  );
}

/** Verification is up to the caller, who sends nothing before it: a pinned certificate has no authority. */
function handshake(url: URL): Promise<TLSSocket> {
  const host = hostOf(url);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(url.port || 443),
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    socket.once('secureConnect', () => {
      resolve(socket);
    });
    socket.once('error', (cause: Error) => {
      reject(unreachable(`no gateway answers at ${url.origin}`, cause));
    });
  });
}

function fingerprintFrom(socket: TLSSocket): string {
  return socket.getPeerX509Certificate()?.fingerprint256 ?? '';
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

type Way = Pick<RequestOptions, 'socketPath' | 'host' | 'port'> | { readonly createConnection: () => Socket };

function ask(way: Way, { body, signal, ...rest }: Outgoing, nobody: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = plainRequest({ ...way, ...rest, ...(signal === undefined ? {} : { signal }) }, resolve);
    asked.on('error', (cause) => {
      reject(unreachable(nobody, cause));
    });
    asked.end(body);
  });
}

function unreachable(text: string, cause: Error): WhorlError {
  const known = 'code' in cause && ['ENOENT', 'ECONNREFUSED'].includes(String(cause.code));
  return new WhorlError('GATEWAY_UNREACHABLE', known ? text : `${text}: ${describe(cause)}`, { cause });
}
