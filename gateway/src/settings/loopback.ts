import { isIPv4 } from 'node:net';

/** Whether nobody beyond this machine can reach it, or listen in. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
