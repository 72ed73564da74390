import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { counted, WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { Log } from '../../settings/log.ts';
import type { OpenTransport } from '../transport.ts';
import { Grumbling } from './grumbling.ts';
import { socketTransport } from './tcp.ts';

/** Finds out who is at the other end of a fresh connection: the serial number, or why nobody could be greeted. */
export type Greet = (socket: Socket) => Promise<string>;

/** Connections that are greeted at once. */
const MOST_ARRIVING = 1_024;
/** Connections that wait to be greeted, beyond one for each terminal: all dial when the power is back. */
const MOST_STRANGERS = 1_024;
/** Connections that the system holds until they are looked at. */
const BACKLOG = 4_096;
/** A terminal is polled more than once in this time: a connection over which nothing comes is dead. */
const SILENCE_MS = 2_500;
/** Whoever cannot be greeted tries again and again; the log says so once in this time for each address. */
const GRUMBLE_MS = 60_000;

/**
 * The port that terminals dial. Each connection is greeted to learn the terminal's serial number, then handed to the
 * line that waits for it; one that nobody waits for is reported and sent away.
 */
export class DialIn {
  readonly #server: Server;
  readonly #greet: Greet;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #unknown: (serial: string, address: string) => void;
  readonly #waiting = new Map<string, (socket: Socket) => void>();
  readonly #known = new Set<string>();
  /** Greeted, and not yet taken by its line. */
  readonly #greeted = new Map<string, Socket>();
  /** In use by its line. A terminal that dials again has lost it, however open it looks, unless somebody still speaks there. */
  readonly #inUse = new Map<string, Socket>();
  /**
   * Not greeted yet. Whoever were sent away would dial again at once: thousands that do so cost more than those who are
   * let in.
   */
  readonly #queue = new Set<Socket>();
  /** Being greeted. */
  readonly #arriving = new Set<Socket>();
  readonly #grumbling: Grumbling;

  constructor(parts: {
    greet: Greet;
    clock: Clock;
    log: Log;
    unknown: (serial: string, address: string) => void;
  }) {
    this.#greet = parts.greet;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#unknown = parts.unknown;
    this.#grumbling = new Grumbling(parts.clock, GRUMBLE_MS);
    this.#server = createServer({ pauseOnConnect: false }, (socket) => {
      this.#arrived(socket);
    });
  }

  /** @returns the port that it listens on. @throws WhorlError LINE_LISTEN */
  listen(options: { host: string; port: number }): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => {
        reject(
          new WhorlError(
            'LINE_LISTEN',
            `cannot listen on ${options.host} port ${options.port}: ${error.message}`,
            { cause: error },
          ),
        );
      });
      this.#server.listen({ ...options, backlog: BACKLOG }, () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : options.port);
      });
    });
  }

  /** The transport of a line whose terminal dials in: opening it waits for the next connection of that terminal. */
  transportOf(serial: string): OpenTransport {
    this.#known.add(serial);
    return (events, signal) =>
      new Promise((resolve, reject) => {
        const abort = (): void => {
          this.#waiting.delete(serial);
          reject(new WhorlError('ABORTED', `terminal ${serial} is no longer waited for`));
        };
        signal.addEventListener('abort', abort, { once: true });
        this.#waiting.set(serial, (socket) => {
          this.#waiting.delete(serial);
          signal.removeEventListener('abort', abort);
          resolve(socketTransport(socket, events));
        });
        this.#handOver(serial);
      });
  }

  async close(): Promise<void> {
    const held = [this.#queue, this.#arriving, this.#greeted.values(), this.#inUse.values()];
    for (const sockets of held) for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  #arrived(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#queue.size >= this.#known.size + MOST_STRANGERS) {
      socket.destroy();
      return;
    }
    this.#queue.add(socket);
    socket.once('close', () => this.#queue.delete(socket));
    this.#next();
  }

  #next(): void {
    for (const socket of this.#queue) {
      if (this.#arriving.size >= MOST_ARRIVING) return;
      this.#queue.delete(socket);
      if (!socket.destroyed) void this.#receive(socket);
    }
  }

  async #receive(socket: Socket): Promise<void> {
    const address = `${socket.remoteAddress ?? '?'} port ${socket.remotePort ?? 0}`;
    this.#arriving.add(socket);
    try {
      const serial = await this.#greet(socket);
      if (!this.#known.has(serial)) {
        if (this.#grumbling.next(`${socket.remoteAddress ?? ''} ${serial}`) !== undefined)
          this.#unknown(serial, address);
        socket.destroy();
        return;
      }
      this.#greeted.get(serial)?.destroy();
      this.#greeted.set(serial, socket);
      const inUse = this.#inUse.get(serial);
      if (inUse === undefined || inUse.destroyed) this.#handOver(serial);
      else this.#contest(serial, inUse, socket, address);
    } catch (error) {
      this.#grumble(
        address,
        `dialled in and could not be greeted: ${error instanceof Error ? error.message : String(error)}`,
      );
      socket.destroy();
    } finally {
      this.#arriving.delete(socket);
      this.#next();
    }
  }

  /** Who only claims to be this terminal must not be able to cut it off: the one who is heard stays. */
  #contest(serial: string, inUse: Socket, newcomer: Socket, address: string): void {
    let heard = false;
    const hear = (): void => {
      heard = true;
    };
    inUse.once('data', hear);
    this.#clock.after(SILENCE_MS, () => {
      inUse.off('data', hear);
      if (inUse.destroyed) return;
      if (!heard) {
        inUse.destroy();
        return;
      }
      this.#grumble(
        address,
        `dialled in as ${serial}, which answers over another connection; it was sent away`,
      );
      newcomer.destroy();
    });
  }

  /** @param address with the port, which is another one each time */
  #grumble(address: string, what: string): void {
    const untold = this.#grumbling.next(address.slice(0, address.lastIndexOf(' port ')));
    if (untold === undefined) return;
    const more = untold === 0 ? '' : ` (and ${counted(untold, 'time')} before, since this was told)`;
    this.#log.warn({ address }, `${address} ${what}${more}`);
  }

  #handOver(serial: string): void {
    const socket = this.#greeted.get(serial);
    const take = this.#waiting.get(serial);
    if (socket === undefined || socket.destroyed || take === undefined) return;
    this.#greeted.delete(serial);
    this.#inUse.set(serial, socket);
    take(socket);
  }
}
