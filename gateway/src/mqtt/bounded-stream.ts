import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { PacketMeter } from './packet-meter.ts';

export interface Bounds {
  /** Most bytes of the first packet that arrives, its header left out. */
  readonly first: number;
  /** The same of all later ones. */
  readonly later: number;
  /** Bytes that may wait for the other side to read them before the writer waits, too. */
  readonly unread: number;
}

/**
 * A connection that carries MQTT, with bounds on what the other side can make us keep in memory: neither a packet
 * without end nor a reader that does not read. Whoever exceeds one is cut off; nobody else waits for them.
 */
export class BoundedStream extends Duplex {
  readonly #inner: Duplex;
  readonly #meter: PacketMeter;
  readonly #bounds: Bounds;

  /** @param inner a socket, which from now on belongs to this stream */
  constructor(inner: Duplex, bounds: Bounds) {
    super({ allowHalfOpen: false });
    this.#inner = inner;
    this.#bounds = bounds;
    this.#meter = new PacketMeter(bounds.first, bounds.later);
    inner.on('data', (bytes: Buffer) => this.#arrived(bytes));
    inner.on('end', () => this.push(null));
    inner.on('error', (error) => this.destroy(error));
    inner.on('close', () => {
      // What arrived before an orderly end is still to be read.
      if (!inner.readableEnded) this.destroy();
    });
  }

  /** Address of the other side; `undefined` where there is none. */
  get from(): string | undefined {
    return this.#inner instanceof Socket ? this.#inner.remoteAddress : undefined;
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send([bytes], done);
  }

  /** A packet is written piece by piece: its pieces go out together. */
  override _writev(pieces: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(
      pieces.map(({ chunk }) => chunk),
      done,
    );
  }

  #send(pieces: readonly Buffer[], done: (error?: Error | null) => void): void {
    if (this.#inner.destroyed) {
      done(new Error('the connection is closed'));
      return;
    }
    this.#inner.cork();
    for (const bytes of pieces) this.#inner.write(bytes);
    this.#inner.uncork();
    if (this.#inner.writableLength <= this.#bounds.unread) done();
    else this.#inner.once('drain', () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#inner.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner.destroy();
    done(error);
  }

  #arrived(bytes: Buffer): void {
    if (!this.#meter.take(bytes)) {
      this.destroy(new Error('an MQTT packet is too large, or none'));
      return;
    }
    if (!this.push(bytes)) this.#inner.pause();
  }
}
