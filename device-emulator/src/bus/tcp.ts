import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { describe, WhorlError } from '@whorl/protocol';
import type { Cancel, Clock } from '@whorl/protocol';
import { cable } from './cable.ts';
import type { Cable } from './cable.ts';
import type { Medium } from './medium.ts';
import type { Port } from './port.ts';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 5_000;
/** Bytes that wait for a gateway that does not read; what does not fit any more is lost. */
const MOST_WAITING_BYTES = 2 * 1024 * 1024;

interface Place {
  readonly host: string;
  readonly port: number;
}

/** A cable with the port that it listens on. */
export type ListeningCable = Cable & { readonly port: () => number };

export function isListening(one: Cable): one is ListeningCable {
  return 'port' in one;
}

/**
 * A line behind a TCP port that the gateway dials, as with a serial device server; a new connection replaces an older
 * one, which may be dead without anybody having been told.
 * @param place.port 0 for any free one, which it then keeps
 */
export function listeningCable(medium: Medium, place: Place): ListeningCable {
  let { port } = place;
  let server: Server | undefined;
  let current: Socket | undefined;
  const accept = (socket: Socket): void => {
    current?.destroy();
    current = socket;
    medium.connect(socketPort(socket));
  };
  const ends = cable(() => `listens on ${place.host} port ${port}`, {
    async plug() {
      server = createServer(accept);
      port = await listen(server, { host: place.host, port });
    },
    async unplug() {
      medium.disconnect();
      const closed = new Promise((resolve) => server?.close(resolve));
      current?.destroy();
      await closed;
    },
  });
  return Object.assign(ends, { port: () => port });
}

function listen(server: Server, { host, port }: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on('error', (cause) => {
      reject(new WhorlError('EMULATOR_LISTEN', `${host} port ${port}: ${describe(cause)}`, { cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** A line that dials the gateway, and again and again with growing pauses, until it is unplugged. */
export function diallingCable(medium: Medium, options: Place & { readonly clock: Clock }): Cable {
  const { host, port, clock } = options;
  let current: Socket | undefined;
  let retry: Cancel | undefined;
  let retryMs = FIRST_RETRY_MS;
  const dial = (): void => {
    const socket = connect({ host, port });
    current = socket;
    socket.on('error', () => undefined);
    socket.on('connect', () => {
      retryMs = FIRST_RETRY_MS;
      medium.connect(socketPort(socket));
    });
    socket.on('close', () => {
      if (current !== socket) return;
      retry = clock.after(retryMs, dial);
      retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
    });
  };
  return cable(() => `dials ${host} port ${port}`, {
    async plug() {
      retryMs = FIRST_RETRY_MS;
      dial();
    },
    async unplug() {
      medium.disconnect();
      retry?.();
      const socket = current;
      current = undefined;
      socket?.destroy();
    },
  });
}

function socketPort(socket: Socket): Port {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  return {
    onBytes: (listener) => {
      socket.on('data', listener);
    },
    onClosed: (listener) => {
      socket.on('close', () => {
        listener('the connection was closed');
      });
    },
    write: (bytes) => {
      if (!socket.destroyed && socket.writableLength + bytes.length <= MOST_WAITING_BYTES)
        socket.write(bytes);
    },
    close: async () => {
      socket.destroy();
    },
  };
}
