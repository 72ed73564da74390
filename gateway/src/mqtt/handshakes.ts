import type { Socket } from 'node:net';
import type { Cancel, Clock } from '@whorl/protocol';
import { Bucket } from '../settings/bucket.ts';
import { addressGroup } from './strangers.ts';

/** All satellites of a master may stand behind one address, and come back at once. */
const AT_ONCE = 64;
const PER_SECOND = 16;
const MOST_ADDRESSES = 1024;

/** How often TLS begins for each address: a handshake costs milliseconds of a core, and whoever asks for it next to nothing. */
export class Handshakes {
  readonly #clock: Clock;
  /** Used last, last. */
  readonly #addresses = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns whether one more of this address may begin */
  mayBegin(address: string): boolean {
    const group = addressGroup(address);
    const bucket = this.#addresses.get(group) ?? new Bucket(this.#clock, AT_ONCE, PER_SECOND);
    this.#addresses.delete(group);
    this.#addresses.set(group, bucket);
    const [oldest] = this.#addresses.keys();
    if (this.#addresses.size > MOST_ADDRESSES && oldest !== undefined) this.#addresses.delete(oldest);
    return bucket.take();
  }
}

/** Hands a connection on with its first bytes: as long as it is silent, it costs nothing and counts for nothing. */
export function onceHeard(
  socket: Socket,
  { clock, patienceMs }: { readonly clock: Clock; readonly patienceMs: number },
  heard: () => void,
): void {
  const destroy = (): void => void socket.destroy();
  const cancel: Cancel = clock.after(patienceMs, destroy);
  socket.on('error', destroy);
  socket.once('close', cancel);
  socket.once('readable', () => {
    cancel();
    const first = socket.read() as Buffer | null;
    // It was closed before it said anything.
    if (first === null) {
      destroy();
      return;
    }
    socket.unshift(first);
    heard();
  });
}
