import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import type { Clock } from '@whorl/protocol';
import type { Medium } from './medium.ts';
import type { Port } from './port.ts';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 5_000;

/** What a line hangs on: pulled and plugged at will. */
export interface Cable {
  /** Where the gateway finds it, in words. */
  readonly place: string;
  plug(): Promise<void>;
  unplug(): Promise<void>;
}

/** A line behind a TCP port that the gateway dials; a new connection replaces an older one. */
export function listeningCable(
  medium: Medium,
  options: { host: string; port: number },
): Cable & { readonly port: () => number } {
  let current: Socket | undefined;
  let listening = options.port;
  const server = createServer((socket) => {
    current?.destroy();
    current = socket;
    medium.connect(socketPort(socket));
  });
  return {
    place: `tcp ${options.host}:${options.port}`,
    port: () => listening,
    plug: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(listening, options.host, () => {
          const address = server.address();
          if (typeof address === 'object' && address !== null) listening = address.port;
          resolve();
        });
      }),
    unplug: () =>
      new Promise((resolve) => {
        medium.disconnect();
        current?.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** A terminal that dials the gateway, again and again until it is unplugged. */
export function diallingCable(medium: Medium, options: { host: string; port: number; clock: Clock }): Cable {
  let plugged = false;
  let retryMs = FIRST_RETRY_MS;
  let current: Socket | undefined;
  const dial = (): void => {
    if (!plugged) return;
    const socket = connect({ host: options.host, port: options.port });
    current = socket;
    socket.on('connect', () => {
      retryMs = FIRST_RETRY_MS;
      medium.connect(socketPort(socket));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (current !== socket) return;
      options.clock.after(retryMs, dial);
      retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
    });
  };
  return {
    place: `dials ${options.host}:${options.port}`,
    async plug() {
      if (plugged) return;
      plugged = true;
      dial();
    },
    async unplug() {
      plugged = false;
      medium.disconnect();
      const socket = current;
      current = undefined;
      socket?.destroy();
    },
  };
}

function socketPort(socket: Socket): Port {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  return {
    onBytes: (listener) => void socket.on('data', listener),
    onClosed: (listener) =>
      void socket.on('close', () => {
        listener('the connection was closed');
      }),
    write: (bytes) => {
      if (!socket.destroyed) socket.write(bytes);
    },
    close: async () => {
      socket.destroy();
    },
  };
}
