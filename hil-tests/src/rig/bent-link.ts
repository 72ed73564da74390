import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { sleep } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';

/** `up` is from who connects to whom he connects to. */
export type Way = 'up' | 'down';

export interface BentLinkParts {
  readonly host: string;
  readonly to: { readonly host: string; readonly port: number };
  readonly clock: Clock;
}

/** TCP connections on their way: late, held, cut amid a message. It sees and changes nothing that they carry. */
export class BentLink {
  /** How much later each piece arrives, milliseconds. */
  delayMs = 0;
  readonly #parts: BentLinkParts;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #held: PromiseWithResolvers<undefined> | undefined;
  #edge: { way: Way; left: number; reached: () => void } | undefined;

  private constructor(parts: BentLinkParts) {
    this.#parts = parts;
    this.#server = createServer({ allowHalfOpen: false }, (socket) => this.#join(socket));
  }

  static async open(parts: BentLinkParts): Promise<BentLink> {
    const link = new BentLink(parts);
    link.#server.listen(0, parts.host);
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Nothing moves any more, and nobody is told. */
  hold(): void {
    this.#held ??= Promise.withResolvers<undefined>();
  }

  /** What was held goes on. */
  release(): void {
    this.#held?.resolve(undefined);
    this.#held = undefined;
  }

  /** Lets so many bytes more through on one way and then holds everything. @returns when that is */
  async holdAfter(way: Way, bytes: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#edge = { way, left: bytes, reached: () => resolve(undefined) };
    await promise;
  }

  /** Ends all connections, what was held with them. */
  forget(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.forget();
    this.release();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #join(near: Socket): void {
    const far = connect(this.#parts.to);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.setNoDelay(true);
      this.#sockets.add(one);
      // The end of one is the end of both, and all that is told of it.
      one.on('error', () => undefined);
      one.once('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    void this.#carry('up', near, far);
    void this.#carry('down', far, near);
  }

  async #carry(way: Way, from: Socket, to: Socket): Promise<void> {
    try {
      for await (const piece of from) {
        if (Buffer.isBuffer(piece)) await this.#piece(way, piece, to);
      }
    } catch {
      from.destroy();
    }
  }

  async #piece(way: Way, piece: Buffer, to: Socket): Promise<void> {
    if (this.delayMs > 0) await sleep(this.#parts.clock, this.delayMs);
    await this.#held?.promise;
    const edge = this.#edge;
    let rest = piece;
    if (edge?.way === way) {
      const first = piece.subarray(0, edge.left);
      edge.left -= first.length;
      rest = piece.subarray(first.length);
      await written(to, first);
      if (edge.left === 0) {
        this.#edge = undefined;
        this.hold();
        edge.reached();
        await this.#held?.promise;
      }
    }
    await written(to, rest);
  }
}

async function written(to: Socket, bytes: Buffer): Promise<void> {
  if (bytes.length === 0 || to.destroyed) return;
  if (!to.write(bytes)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
}
