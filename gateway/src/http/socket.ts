import { hash } from 'node:crypto';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { WhorlError } from '@whorl/protocol';
import { makeDirectories } from '../settings/directories.ts';

/**
 * Where gateway and commands of one data directory meet: a socket that only its owner can open. On Windows a named
 * pipe, which only its creator and administrators may write to.
 */
export function socketPath(data: string): string {
  if (process.platform === 'win32')
    return `\\\\.\\pipe\\whorl-${hash('sha256', data.toLowerCase(), 'hex').slice(0, 16)}`;
  const path = join(data, 'run', 'gateway.sock');
  return path.length <= LONGEST_PATH
    ? path
    : join(tmpdir(), `whorl-${hash('sha256', data, 'hex').slice(0, 16)}`, 'gateway.sock');
}

/** The kernel's `sockaddr_un` holds about a hundred bytes. */
const LONGEST_PATH = 100;

/**
 * Serves the API on the local socket; a socket that a killed gateway left behind is replaced.
 * @throws WhorlError GATEWAY_RUNNING
 */
export async function serveLocally(app: FastifyInstance, data: string): Promise<void> {
  const path = socketPath(data);
  if (await answers(path)) throw new WhorlError('GATEWAY_RUNNING', data);
  if (process.platform !== 'win32') {
    // The directory keeps others out from the first moment; the socket's own mode comes after it is made.
    makeDirectories(dirname(path));
    chmodSync(dirname(path), 0o700);
    if (existsSync(path)) rmSync(path);
  }
  await app.listen({ path });
  if (process.platform !== 'win32') chmodSync(path, 0o600);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
