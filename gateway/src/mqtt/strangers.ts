import { isIPv4 } from 'node:net';

/** A connection, as far as its place among the others goes. */
export interface Incoming {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

export interface StrangersParts {
  /** So many may wait at once; whoever comes then still comes in, and another one is put out. */
  readonly most: number;
  /** Told of an address one of whose connections was put out. */
  readonly putOut: (address: string) => void;
}

interface Stranger {
  readonly socket: Incoming;
  readonly group: string;
}

/** So many of one address are its share: whoever has more pays first. */
const SHARE = 16;
/** Addresses from where somebody has said who it is. */
const MOST_WELCOME = 256;

/**
 * Connections that have not said yet who they are. There is always a place for another one: at the bound one is put out, of
 * the address that has most of them while that is more than its share, else the oldest of an address from where nobody ever
 * came in, else the oldest. So nobody is kept out by connections that are silent, however many there are; whoever has come
 * in belongs to these no more, and does not pay for them.
 */
export class Strangers {
  readonly #parts: StrangersParts;
  /** By both ends of the connection, oldest first. */
  readonly #waiting = new Map<string, Stranger>();
  /** Last used last. */
  readonly #welcome = new Set<string>();

  constructor(parts: StrangersParts) {
    this.#parts = parts;
  }

  /** How many wait. */
  get count(): number {
    return this.#waiting.size;
  }

  came(socket: Incoming): void {
    const place = placeOf(socket);
    const stranger = { socket, group: addressGroup(socket.remoteAddress ?? '') };
    this.#waiting.delete(place);
    this.#waiting.set(place, stranger);
    socket.once('close', () => {
      if (this.#waiting.get(place) === stranger) this.#waiting.delete(place);
    });
    if (this.#waiting.size > this.#parts.most) this.#makeRoom();
  }

  /** Somebody has said who it is. @param socket the connection, or what TLS makes of it */
  admitted(socket: Incoming): void {
    const place = placeOf(socket);
    const stranger = this.#waiting.get(place);
    if (stranger === undefined) return;
    this.#waiting.delete(place);
    this.#welcome.delete(stranger.group);
    this.#welcome.add(stranger.group);
    const [oldest] = this.#welcome;
    if (this.#welcome.size > MOST_WELCOME && oldest !== undefined) this.#welcome.delete(oldest);
  }

  #makeRoom(): void {
    const counts = new Map<string, number>();
    for (const { group } of this.#waiting.values()) counts.set(group, (counts.get(group) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const waiting = [...this.#waiting];
    const [place, stranger] =
      (most > SHARE
        ? waiting.find(([, { group }]) => counts.get(group) === most)
        : waiting.find(([, { group }]) => !this.#welcome.has(group))) ??
      waiting[0] ??
      [];
    if (place === undefined || stranger === undefined) return;
    this.#waiting.delete(place);
    this.#parts.putOut(stranger.socket.remoteAddress ?? stranger.group);
    stranger.socket.destroy();
  }
}

function placeOf({ remoteAddress, remotePort }: Incoming): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''}`;
}

/** What counts as one address: whoever has one of IPv6 mostly has all 2^64 of its network. */
export function addressGroup(address: string): string {
  const mapped = address.slice(address.lastIndexOf(':') + 1);
  if (isIPv4(mapped)) return mapped;
  const [head = [], tail = []] = (address.split('%')[0] ?? '')
    .split('::')
    .map((half) => half.split(':').filter((part) => part !== ''));
  const zeros = Array.from({ length: Math.max(8 - head.length - tail.length, 0) }, () => '0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}
