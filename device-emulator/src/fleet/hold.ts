import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { resolve } from 'node:path';
import process from 'node:process';
import { describe, WhorlError } from '@whorl/protocol';

/** Gives back what was held; the second time it does nothing. */
export type LetGo = () => void;

/**
 * Holds paths for this emulator alone: a second one would take the first one's link away, or write among its flash. A
 * name of the kernel stands for each, which nobody else can have, which leaves no file, and which is given back with
 * the process, however that ends. On macOS, which has no such names, nothing is held.
 * @throws WhorlError EMULATOR_TAKEN; then nothing is held
 */
export async function hold(paths: readonly string[]): Promise<LetGo> {
  const held: Server[] = [];
  const letGo = (): void => {
    for (const server of held.splice(0)) server.close();
  };
  if (process.platform === 'darwin') return letGo;
  for (const path of new Set(paths.map((one) => resolve(one)))) {
    try {
      held.push(await named(nameOf(path)));
    } catch (cause) {
      letGo();
      throw new WhorlError('EMULATOR_TAKEN', isTaken(cause) ? path : `${path}: ${describe(cause)}`, {
        cause,
      });
    }
  }
  return letGo;
}

function nameOf(path: string): string {
  // A path may be longer than a name.
  const name = `whorl-emulator-${createHash('sha256').update(path).digest('hex')}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : `\0${name}`;
}

function named(path: string): Promise<Server> {
  return new Promise((done, failed) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', failed);
    server.listen({ path, exclusive: true }, () => {
      server.unref();
      done(server);
    });
  });
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
