import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { FrameSplitter, WhorlError } from '@whorl/protocol';
import type { OpenTransport, Transport, TransportEvents } from '../transport.ts';

const KEEP_ALIVE_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** A connection that the gateway dials: to a terminal, or to a serial device server with a line behind it. */
export function openTcp(options: { host: string; port: number }): OpenTransport {
  return async (events, signal) => {
    const socket = await dial(options, signal);
    return socketTransport(socket, events);
  };
}

/** Makes a transport of a connected socket, whoever dialled. */
export function socketTransport(socket: Socket, events: TransportEvents): Transport {
  const place = `${socket.remoteAddress ?? '?'} port ${socket.remotePort ?? 0}`;
  let closed = false;
  let failure: string | undefined;
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.on('error', (error) => {
    failure = error.message;
  });
  socket.on('close', () => {
    if (closed) return;
    closed = true;
    events.closed(
      failure === undefined
        ? `${place} closed the connection`
        : `the connection to ${place} broke: ${failure}`,
    );
  });
  socket.on('end', () => socket.destroy());
  return {
    ...splitFrames(socket, events),
    write(bytes, written) {
      if (closed || socket.destroyed) return;
      socket.write(bytes);
      // Nearly always the operating system has them at once: a callback a frame would cost more than the frame.
      if (socket.writableLength === 0) written();
      else
        socket.write(NOTHING, (error) => {
          if (error === undefined || error === null) written();
        });
    },
    close() {
      closed = true;
      socket.destroy();
    },
  };
}

const NOTHING = new Uint8Array(0);

/**
 * Cuts what a socket receives at the delimiters. Not through pipes as of a serial port: with thousands of connections
 * they would cost several times what is said over them.
 * @returns the transport's `cut` and `lend`
 */
function splitFrames(socket: Socket, events: TransportEvents): Pick<Transport, 'cut' | 'lend'> {
  const splitter = new FrameSplitter();
  let dropped = 0;
  let borrower: ((bytes: Uint8Array) => void) | undefined;
  socket.on('data', (bytes: Buffer) => {
    events.received(bytes.length);
    if (borrower !== undefined) {
      borrower(bytes);
      return;
    }
    splitter.push(bytes, events.frame);
    if (splitter.dropped === dropped) return;
    events.discarded(splitter.dropped - dropped);
    dropped = splitter.dropped;
  });
  // Whoever greeted it has stopped it, so that nothing was lost.
  socket.resume();
  return {
    cut() {
      const held = splitter.cut();
      if (held > 0) events.discarded(held);
      return held > 0;
    },
    lend(listener) {
      borrower = listener;
      return () => {
        borrower = undefined;
      };
    },
  };
}

function dial(options: { host: string; port: number }, signal: AbortSignal): Promise<Socket> {
  const place = `${options.host} port ${options.port}`;
  return new Promise((resolve, reject) => {
    const socket = connect({ host: options.host, port: options.port });
    const fail = (reason: string): void => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      reject(new WhorlError('LINE_OPEN', `${place}: ${reason}`));
    };
    const abort = (): void => {
      fail('no longer wanted');
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      fail('no answer; check address, cable and firewall');
    });
    socket.once('error', (error) => {
      fail(inWords(error));
    });
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort);
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      socket.removeAllListeners('error');
      resolve(socket);
    });
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
  });
}

function inWords(error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ECONNREFUSED') return 'nobody listens there; is the terminal on, and the port right?';
  if (code === 'ENOTFOUND') return 'this name is unknown to the network';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'no way there; check address and cable';
  return error.message;
}
