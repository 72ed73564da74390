import type { Clock } from '@whorl/protocol';
import type { Sender } from './seat.ts';
import { collide, cutShort, heardBefore } from './transmission.ts';
import type { Transmission } from './transmission.ts';

/** What is on its way over a wire or connection, from whom. */
export type OnAir = Transmission<Sender>;

export interface AirParts {
  readonly clock: Clock;
  /** How long a byte takes, milliseconds; 0 on a connection, where nothing collides. */
  readonly byteMs: number;
  /** Told of each transmission when its last byte has arrived, or where it broke off. */
  readonly arrived: (transmission: OnAir) => void;
}

/** All that is on its way: each transmission is one timer, and two at one time spoil each other. */
export class Air {
  readonly #clock: Clock;
  readonly #byteMs: number;
  readonly #arrived: AirParts['arrived'];
  #all: OnAir[] = [];
  /** Pairs of transmissions that spoilt each other. */
  collisions = 0;

  constructor({ clock, byteMs, arrived }: AirParts) {
    this.#clock = clock;
    this.#byteMs = byteMs;
    this.#arrived = arrived;
  }

  put(transmission: OnAir): void {
    if (this.#byteMs > 0) this.#collide(transmission);
    this.#all.push(transmission);
    this.#await(transmission);
  }

  /** Whatever somebody is saying or about to say breaks off, within a byte if need be. */
  cut(sender: Sender): void {
    const now = this.#clock.now();
    for (const one of this.#all.filter((other) => other.sender === sender)) {
      if (!cutShort(one, now, this.#byteMs)) continue;
      one.timer?.();
      this.#await(one);
    }
  }

  /** What has been heard until now of what others than `sender` are saying: whole bytes. */
  *begun(sender: Sender): Generator<OnAir> {
    const now = this.#clock.now();
    for (const one of this.#all)
      if (one.sender !== sender && one.start < now) yield heardBefore(one, now, this.#byteMs);
  }

  #await(transmission: OnAir): void {
    const left = transmission.end - this.#clock.now();
    if (left <= 0) this.#arrive(transmission);
    else
      transmission.timer = this.#clock.after(left, () => {
        this.#arrive(transmission);
      });
  }

  #arrive(transmission: OnAir): void {
    if (this.#all[0] === transmission) this.#all.shift();
    else this.#all = this.#all.filter((other) => other !== transmission);
    if (transmission.bytes.length > 0) this.#arrived(transmission);
  }

  #collide(transmission: OnAir): void {
    for (const other of this.#all)
      if (other.sender !== transmission.sender && collide(transmission, other)) this.collisions += 1;
  }
}
