import type { Clock, Random } from '@whorl/protocol';
import type { MasterEars, MasterWire, OpenSatelliteWire } from '../wire.ts';

/** What goes wrong between gateways. */
export interface Weather {
  /** Of a thousand messages. */
  readonly lost: number;
  readonly doubled: number;
  /** Milliseconds one way, at least; up to three times as much. */
  readonly delayMs: number;
}

export const CALM: Weather = { lost: 0, doubled: 0, delayMs: 20 };

interface Seat {
  announced: boolean;
  readonly heard: (bytes: Uint8Array) => void;
  readonly end: (reason: string) => void;
}

/** A message on its way over the broker. */
export interface SitesCrossing {
  readonly syncId: number;
  /** To the master. */
  readonly up: boolean;
  readonly bytes: Uint8Array;
}

/** Stands in for a broker: keeps the order of each direction, and loses, doubles and delays what it is told to. */
export class Bus implements MasterWire {
  weather: Weather = CALM;
  /** Messages and bytes that were handed in. */
  messages = 0;
  bytes = 0;
  ears: MasterEars | undefined;
  /** Who sits at the broker: what is carried instead of a message; it is carried as it is when there is no answer. */
  man: ((crossing: SitesCrossing) => readonly Uint8Array[] | undefined) | undefined;
  /** Everything that went over it, when somebody listens. */
  tap: ((bytes: Uint8Array) => void) | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #seats = new Map<number, Set<Seat>>();
  readonly #cut = new Set<number>();
  /** When the last message of a direction arrives. */
  readonly #last = new Map<string, number>();
  #epoch = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Whoever is there as a site is gone without a word. */
  hangUp(syncId: number): void {
    for (const seat of this.#seats.get(syncId) ?? []) this.#end(syncId, seat, 'the connection is lost');
  }

  /** Takes a site's link away, or gives it back. */
  link(syncId: number, up: boolean): void {
    if (up) {
      this.#cut.delete(syncId);
      return;
    }
    this.#cut.add(syncId);
    this.hangUp(syncId);
  }

  /** Who is there. */
  get present(): readonly number[] {
    return [...this.#seats].flatMap(([syncId, seats]) =>
      [...seats].some(({ announced }) => announced) ? [syncId] : [],
    );
  }

  /** Everybody loses the connection, and what is under way with it: the broker ends, or begins anew. */
  drop(reason: string): void {
    for (const [syncId, seats] of this.#seats) for (const seat of seats) this.#end(syncId, seat, reason);
    this.#epoch += 1;
  }

  /** The way of one process of a site; others of it may be there at the same time. */
  wire(syncId: number): OpenSatelliteWire {
    let mine: Seat | undefined;
    return async (heard, _signal, options) => {
      const closed = Promise.withResolvers<string>();
      if (this.#cut.has(syncId)) throw new Error('no link');
      // Whoever comes under the same name takes the place of who was there, as at a broker.
      const beside = options?.beside === true;
      if (mine !== undefined && !beside) this.#end(syncId, mine, 'another client has the same id');
      const seats = this.#seats.get(syncId) ?? new Set();
      const seat: Seat = { heard, end: (reason) => closed.resolve(reason), announced: false };
      if (!beside) mine = seat;
      this.#seats.set(syncId, seats.add(seat));
      return {
        send: async (bytes) => {
          if (seats.has(seat)) this.#cross({ syncId, up: true, bytes });
        },
        announce: async () => {
          if (!seats.has(seat)) return;
          seat.announced = true;
          this.ears?.presence(syncId, true);
        },
        closed: closed.promise,
        close: () => this.#end(syncId, seat, 'closed'),
      };
    };
  }

  async send(syncId: number, bytes: Uint8Array): Promise<void> {
    this.#cross({ syncId, up: false, bytes });
  }

  #cross(crossing: SitesCrossing): void {
    for (const bytes of this.man?.(crossing) ?? [crossing.bytes]) this.say({ ...crossing, bytes });
  }

  /** Says something as if it came from the other end. */
  say({ syncId, up, bytes }: SitesCrossing): void {
    this.#carry(`${up ? 'up' : 'down'} ${syncId}`, bytes, (one) => {
      if (up) this.ears?.message(syncId, one);
      else for (const seat of [...(this.#seats.get(syncId) ?? [])]) seat.heard(one);
    });
  }

  #end(syncId: number, seat: Seat, reason: string): void {
    seat.end(reason);
    // The last will is that of each connection by itself.
    if (this.#seats.get(syncId)?.delete(seat) === true && seat.announced) this.ears?.presence(syncId, false);
  }

  #carry(way: string, bytes: Uint8Array, arrive: (bytes: Uint8Array) => void): void {
    this.messages += 1;
    this.bytes += bytes.length;
    this.tap?.(bytes);
    const { lost, doubled, delayMs } = this.weather;
    if (this.#random.below(1000) < lost) return;
    const copies = this.#random.below(1000) < doubled ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const wanted = this.#clock.now() + delayMs * (1 + this.#random.below(2000) / 1000);
      const at = Math.max(wanted, this.#last.get(way) ?? 0);
      this.#last.set(way, at);
      const epoch = this.#epoch;
      this.#clock.after(at - this.#clock.now(), () => {
        if (epoch === this.#epoch) arrive(Uint8Array.from(bytes));
      });
    }
  }
}
