import { FrameSplitter, wireMs } from '@whorl/protocol';
import type { Clock, Random } from '@whorl/protocol';
import type { Terminal } from '../firmware/terminal.ts';
import type { Port } from './port.ts';

export interface MediumOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Bits a second; `undefined` on a TCP connection, where bytes take no time. */
  readonly baud?: number | undefined;
  /** From the last byte of a request to the first of its answer. */
  readonly turnaroundMs: number;
}

/** What crossed the line. */
export interface MediumCounters {
  framesToTerminals: number;
  framesToGateway: number;
  bytesToTerminals: number;
  bytesToGateway: number;
  /** Transmissions that another one spoilt. */
  collisions: number;
  /** Bytes changed by noise. */
  corrupted: number;
  /** Milliseconds in which the line was driven. */
  busyMs: number;
}

interface Transmission {
  readonly sender: object;
  readonly end: number;
  readonly bytes: Uint8Array;
  spoilt: boolean;
  /** Its sender lost power or was cut off. */
  cut: boolean;
}

interface Seat {
  readonly terminal: Terminal;
  plugged: boolean;
}

/** How long a TCP connection takes to carry anything. */
const TCP_MS = 0.05;
const NOISE_SLICE_MS = 5;

/**
 * The shared wire of a line: half-duplex, with byte times, turnaround and collisions; everyone hears everyone. One end
 * is the gateway's port, the others are terminals. Runs on whatever clock it is handed, virtual or real.
 */
export class Medium {
  readonly counters: MediumCounters = {
    framesToTerminals: 0,
    framesToGateway: 0,
    bytesToTerminals: 0,
    bytesToGateway: 0,
    collisions: 0,
    corrupted: 0,
    busyMs: 0,
  };
  readonly #options: MediumOptions;
  readonly #seats = new Map<number, Seat[]>();
  readonly #onAir = new Set<Transmission>();
  readonly #free = new Map<object, number>();
  #splitter = new FrameSplitter();
  #port: Port | undefined;
  /** One byte in so many is hit; 0 for none. */
  #corruptOneIn = 0;
  #noiseUntil = 0;

  constructor(options: MediumOptions) {
    this.#options = options;
  }

  /** Puts a terminal on the line. */
  add(terminal: Terminal): void {
    const seat: Seat = { terminal, plugged: true };
    this.#seats.set(terminal.address, [...(this.#seats.get(terminal.address) ?? []), seat]);
    terminal.onSilent(() => {
      this.#silence(terminal);
    });
  }

  /** Makes `port` the gateway's end; an earlier one hears nothing any more. */
  connect(port: Port): void {
    this.#port = port;
    this.#splitter = new FrameSplitter();
    port.onBytes((bytes) => {
      if (this.#port === port) this.#transmit(port, bytes.slice());
    });
  }

  disconnect(): void {
    this.#port = undefined;
  }

  /** Takes a terminal off the line, or puts it back. */
  setPlugged(terminal: Terminal, plugged: boolean): void {
    for (const seat of this.#seats.get(terminal.address) ?? [])
      if (seat.terminal === terminal) seat.plugged = plugged;
    if (!plugged) this.#silence(terminal);
  }

  /** From now on one byte in `oneIn` is changed on its way, 0 for none. */
  corrupt(oneIn: number): void {
    this.#corruptOneIn = oneIn;
  }

  /** Somebody shouts: random bytes without a pause, which also spoil whatever else is said. */
  noise(forMs: number): void {
    const { clock } = this.#options;
    const quiet = clock.now() >= this.#noiseUntil;
    this.#noiseUntil = clock.now() + forMs;
    if (quiet) this.#shout();
  }

  #shout(): void {
    const { clock, random, baud } = this.#options;
    if (clock.now() >= this.#noiseUntil) return;
    const bytes = random.bytes(Math.ceil(((baud ?? 115_200) / 10_000) * NOISE_SLICE_MS));
    for (const transmission of this.#onAir) transmission.spoilt = true;
    this.#port?.write(bytes);
    this.#splitter.push(bytes, () => undefined);
    this.counters.corrupted += bytes.length;
    clock.after(NOISE_SLICE_MS, () => {
      this.#shout();
    });
  }

  #transmit(sender: object, bytes: Uint8Array): void {
    const { clock, baud } = this.#options;
    const now = clock.now();
    const start = Math.max(now, this.#free.get(sender) ?? 0);
    const length = baud === undefined ? TCP_MS : wireMs(bytes.length, baud);
    const transmission: Transmission = {
      sender,
      end: start + length,
      bytes,
      spoilt: now < this.#noiseUntil,
      cut: false,
    };
    this.#free.set(sender, transmission.end);
    if (baud !== undefined) this.#collide(transmission, start);
    this.#onAir.add(transmission);
    this.counters.busyMs += length;
    clock.after(transmission.end - now, () => {
      this.#arrive(transmission);
    });
  }

  #collide(transmission: Transmission, start: number): void {
    for (const other of this.#onAir) {
      if (other.sender === transmission.sender || other.end <= start) continue;
      other.spoilt = true;
      transmission.spoilt = true;
      this.counters.collisions += 1;
    }
  }

  #arrive(transmission: Transmission): void {
    this.#onAir.delete(transmission);
    if (transmission.cut) return;
    const bytes = this.#weathered(transmission);
    if (transmission.sender === this.#port) {
      this.counters.bytesToTerminals += bytes.length;
      this.#splitter.push(bytes, (stuffed) => {
        this.#deliver(stuffed);
      });
    } else if ('hear' in transmission.sender) {
      this.counters.framesToGateway += 1;
      this.counters.bytesToGateway += bytes.length;
      this.#port?.write(bytes);
    }
  }

  #weathered({ bytes, spoilt }: Transmission): Uint8Array {
    const { random } = this.#options;
    if (spoilt) {
      this.counters.corrupted += bytes.length;
      return random.bytes(bytes.length);
    }
    if (this.#corruptOneIn === 0) return bytes;
    for (let i = 0; i < bytes.length; i += 1) {
      if (random.below(this.#corruptOneIn) !== 0) continue;
      bytes[i] = (bytes[i] ?? 0) ^ (1 << random.below(8));
      this.counters.corrupted += 1;
    }
    return bytes;
  }

  /** Everyone hears it; only whom it is for can do anything with it, so only those are asked. */
  #deliver(stuffed: Uint8Array): void {
    this.counters.framesToTerminals += 1;
    const address = stuffed[0] === BROADCAST_RUN ? 0 : (stuffed[2] ?? 0);
    if (address === 0) for (const seats of this.#seats.values()) this.#hear(seats, stuffed);
    else this.#hear(this.#seats.get(address) ?? [], stuffed);
  }

  #hear(seats: readonly Seat[], stuffed: Uint8Array): void {
    for (const { terminal, plugged } of seats) {
      if (!plugged) continue;
      const answers = terminal.hear(stuffed);
      if (answers.length === 0) continue;
      const turnaround = Math.max(this.#options.turnaroundMs, 0);
      const power = terminal.starts;
      this.#options.clock.after(turnaround, () => {
        if (terminal.power !== 'on' || terminal.starts !== power || !this.#isPlugged(terminal)) return;
        for (const answer of answers) this.#transmit(terminal, answer.slice());
      });
    }
  }

  #isPlugged(terminal: Terminal): boolean {
    return (this.#seats.get(terminal.address) ?? []).some(
      (seat) => seat.terminal === terminal && seat.plugged,
    );
  }

  #silence(terminal: Terminal): void {
    for (const transmission of this.#onAir) if (transmission.sender === terminal) transmission.cut = true;
    this.#free.delete(terminal);
  }
}

/** The first run of a stuffed frame ends before its address byte when that is zero. */
const BROADCAST_RUN = 2;
