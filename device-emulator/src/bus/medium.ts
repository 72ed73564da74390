import { BROADCAST, INVITATION_WIRE, invites, SHORT, wireMs, WhorlError } from '@whorl/protocol';
import type { Cancel, Clock, Random } from '@whorl/protocol';
import { Call } from '../firmware/call.ts';
import { Air } from './air.ts';
import type { OnAir } from './air.ts';
import { addressOf, Ear } from './ear.ts';
import type { MediumCounters, MediumOptions } from './medium-options.ts';
import type { Port } from './port.ts';
import { reflecting } from './reflections.ts';
import { isPresent } from './seat.ts';
import type { Seat, Sender } from './seat.ts';
import { BitErrors, garbled, joined } from './transmission.ts';
import type { Tapped } from './transmission.ts';
import type { Neighbours, Station } from './station.ts';
import { heardBy, lingersBy, saidBy, through, Troubles } from './trouble.ts';
import type { LineTrouble, SeatTrouble } from './trouble.ts';

const NOISE_SLICE_MS = 5;
/** Modbus over serial line, 2.5.1.1: 3.5 characters, at high speeds a fixed time. */
const SILENCE_CHARACTERS = 3.5;
const SHORTEST_SILENCE_MS = 1.75;

/**
 * The shared wire of a line: half-duplex, with byte times, turnaround, collisions and noise; everyone hears everyone.
 * One end is the gateway's port, at the others sit terminals. Runs on whatever clock it is handed, virtual or real; a
 * transmission costs one timer, and only the terminal that it is for looks at it.
 */
export class Medium {
  readonly #counters = {
    framesToTerminals: 0,
    framesToGateway: 0,
    bytesToTerminals: 0,
    bytesToGateway: 0,
    noiseBytes: 0,
    busyMs: 0,
  };
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #options: MediumOptions;
  readonly #air: Air;
  readonly #byteMs: number;
  readonly #seats = new Map<number, Seat[]>();
  /** The same in one row, for what is said to all. */
  #everyone: readonly Seat[] = [];
  readonly #gateway: Sender = { freeAt: 0 };
  readonly #noise: Sender = { freeAt: 0 };
  readonly #neighbour: Sender = { freeAt: 0 };
  #neighbours: Neighbours | undefined;
  /** When the last byte of whoever spoke last was heard. */
  #quietSince = Number.NEGATIVE_INFINITY;
  readonly #bitErrors: BitErrors;
  readonly #taps = new Set<Tapped>();
  readonly #troubles = new Troubles<LineTrouble>();
  #onPlug: ((station: Station, plugged: boolean) => void) | undefined;
  #ear = new Ear();
  #port: Port | undefined;
  #wired = true;
  #noiseUntil = 0;
  /** Makes what is said as noise. */
  #noiseOf: (bytes: number) => Uint8Array;
  /** When the last bytes that the adapter held back reach the gateway. */
  #heldUntil = 0;
  #nextNoise: Cancel | undefined;

  constructor(options: MediumOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#byteMs = options.baud === undefined ? 0 : wireMs(1, options.baud);
    this.#bitErrors = new BitErrors(options.random);
    this.#noiseOf = (bytes) => this.#random.bytes(bytes);
    this.#air = new Air({
      clock: options.clock,
      byteMs: this.#byteMs,
      arrived: (transmission) => {
        this.#arrive(transmission);
      },
    });
    if (options.echo === true) this.trouble({ echo: true });
    if (options.reflections !== undefined && options.baud !== undefined)
      this.trouble(reflecting(options.reflections, options.baud, options.random));
  }

  get counters(): Readonly<MediumCounters> {
    return {
      ...this.#counters,
      collisions: this.#air.collisions,
      flippedBits: this.#bitErrors.flipped,
    };
  }

  /** Puts a terminal on the line. Two may have the same address: then both answer, and spoil each other's answers. */
  add(station: Station, options: { turnaroundMs?: number | undefined } = {}): void {
    const turnaroundMs = options.turnaroundMs ?? this.#options.turnaroundMs;
    const since = this.#clock.now();
    const seat: Seat = {
      station,
      turnaroundMs,
      since,
      freeAt: 0,
      busyUntil: 0,
      raised: false,
      troubles: new Troubles(),
    };
    this.#seats.set(station.address, [...(this.#seats.get(station.address) ?? []), seat]);
    this.#everyone = [...this.#seats.values()].flat();
    station.onSilent(() => {
      this.#silence(seat);
    });
    if (!this.isWire)
      station.onNews(() => {
        this.#raise(seat);
      });
  }

  /** Makes `port` the gateway's end; an earlier one hears nothing any more. Arrays it delivers are kept, not copied. */
  connect(port: Port): void {
    this.#port = port;
    // A wire carries on where it was; a connection begins anew.
    if (this.#byteMs === 0) this.#ear = new Ear();
    port.onBytes((bytes) => {
      if (this.#port !== port || !this.#wired) return;
      this.#transmit(this.#gateway, bytes, this.#clock.now());
      if (!this.#troubles.none) this.#linger(this.#gateway, this.#troubles);
    });
  }

  /** Clips on to the wire: `listener` hears all that crosses it. @returns what takes it off */
  tap(listener: Tapped): () => void {
    this.#taps.add(listener);
    return () => this.#taps.delete(listener);
  }

  /** The adapter is pulled, or the connection cut: what was being said to it or by it breaks off. */
  disconnect(): void {
    this.#sever();
    this.#port = undefined;
  }

  /** Takes the wire off the gateway's adapter, or puts it back: the port stays open, and nothing crosses. */
  setWired(wired: boolean): void {
    if (!wired) this.#sever();
    this.#wired = wired;
  }

  /** What has come through until now is heard, on both sides; the terminals go on talking among themselves. */
  #sever(): void {
    if (!this.isWire || !this.#wired || this.#port === undefined) return;
    this.#air.cut(this.#gateway);
    this.#gateway.freeAt = this.#clock.now();
    for (const begun of this.#air.begun(this.#gateway))
      if (begun.bytes.length > 0) this.#toGateway(garbled(begun, this.#random));
  }

  get wired(): boolean {
    return this.#wired;
  }

  /** Takes a terminal off the line, or puts it back. */
  setPlugged(station: Station, plugged: boolean): void {
    const seat = this.#seatOf(station);
    if (seat === undefined || this.isPlugged(station) === plugged) return;
    seat.since = plugged ? this.#clock.now() : undefined;
    if (!plugged) this.#silence(seat);
    this.#onPlug?.(station, plugged);
  }

  /** Calls `told` when a terminal is taken off the line or put back. */
  onPlug(told: (station: Station, plugged: boolean) => void): void {
    this.#onPlug = told;
  }

  isPlugged(station: Station): boolean {
    return this.#seatOf(station)?.since !== undefined;
  }

  /** Puts units of another protocol on the wire. */
  join(neighbours: Neighbours): void {
    this.#neighbours = neighbours;
  }

  /** Takes a terminal off for good. */
  remove(station: Station): void {
    this.setPlugged(station, false);
    const left = (this.#seats.get(station.address) ?? []).filter((seat) => seat.station !== station);
    this.#seats.set(station.address, left);
    this.#everyone = [...this.#seats.values()].flat();
  }

  /** From now on something is wrong with the wire or its adapter. @returns what ends it */
  trouble(trouble: LineTrouble): () => void {
    return this.#troubles.add(trouble);
  }

  /** From now on something is wrong with a terminal's end of the wire. @returns what ends it */
  troubleAt(station: Station, trouble: SeatTrouble): () => void {
    return this.#seatOf(station)?.troubles.add(trouble) ?? nothing;
  }

  /** From now on each bit is flipped on its way with this chance, 0 to 1. */
  setBitErrors(rate: number): void {
    this.#bitErrors.rate = rate;
  }

  /**
   * Something drives the line without a pause: who speaks meanwhile is not understood.
   * @param of makes so many bytes of it; random ones unless given
   * @returns what ends it
   */
  noise(forMs: number, of = (bytes: number): Uint8Array => this.#random.bytes(bytes)): () => void {
    if (!this.isWire)
      throw new WhorlError('CONTROL_REQUEST', 'noise needs a wire: this line has no baud rate');
    this.#noiseUntil = this.#clock.now() + forMs;
    this.#noiseOf = of;
    this.#nextNoise?.();
    this.#shout();
    return () => {
      this.#noiseUntil = this.#clock.now();
    };
  }

  /** Bits a second; `undefined` on a connection. */
  get baud(): number | undefined {
    return this.#options.baud;
  }

  /** Whether it is one on which bytes take time and can collide; else it is a connection. */
  get isWire(): boolean {
    return this.#byteMs > 0;
  }

  #shout(): void {
    const left = this.#noiseUntil - this.#clock.now();
    if (left <= 0) return;
    const bytes = this.#noiseOf(Math.ceil(Math.min(left, NOISE_SLICE_MS) / this.#byteMs));
    this.#counters.noiseBytes += bytes.length;
    this.#transmit(this.#noise, bytes, this.#clock.now());
    this.#nextNoise = this.#clock.after(NOISE_SLICE_MS, () => {
      this.#shout();
    });
  }

  /** @param from when the first byte may leave; on a busy machine that may be a little in the past */
  #transmit(sender: Sender, bytes: Uint8Array, from: number): void {
    const start = Math.max(from, sender.freeAt);
    const end = start + bytes.length * this.#byteMs;
    sender.freeAt = end;
    this.#air.put({ sender, start, end, bytes, spoilt: undefined });
  }

  /** A driver that holds the line says nothing, and lets nobody else be understood. */
  #linger(sender: Sender, troubles: Troubles<Pick<SeatTrouble, 'lingersMs'>>): void {
    const forMs = this.isWire ? lingersBy(troubles) : 0;
    if (forMs === 0) return;
    const start = sender.freeAt;
    this.#air.put({ sender, start, end: start + forMs, bytes: NOTHING, spoilt: undefined });
  }

  #arrive(transmission: OnAir): void {
    this.#counters.busyMs += transmission.end - transmission.start;
    const bytes = this.#bitErrors.pass(garbled(transmission, this.#random));
    const { sender } = transmission;
    const silence = Math.max(SHORTEST_SILENCE_MS, SILENCE_CHARACTERS * this.#byteMs);
    const afterSilence = transmission.start - this.#quietSince >= silence;
    this.#quietSince = transmission.end;
    const how = { noise: sender === this.#noise, endMs: transmission.end };
    for (const tap of this.#taps) tap(bytes, sender === this.#gateway, how);
    if (sender === this.#gateway) {
      this.#counters.bytesToTerminals += bytes.length;
      for (const { echo } of this.#troubles) if (echo === true) this.#toGateway(bytes);
      this.#ear.hear(through(this.#troubles, 'toTerminals', bytes), (stuffed) => {
        this.#deliver(stuffed, transmission);
      });
      const answer = this.#neighbours?.hear(bytes, afterSilence);
      if (answer !== undefined) this.#transmit(this.#neighbour, answer, transmission.end + silence);
      return;
    }
    if (sender !== this.#noise) {
      this.#counters.framesToGateway += 1;
      this.#counters.bytesToGateway += bytes.length;
    }
    this.#ear.overhear(bytes, bytes !== transmission.bytes || sender === this.#noise);
    this.#toGateway(bytes);
  }

  #toGateway(bytes: Uint8Array): void {
    if (this.#troubles.none) this.#write(bytes);
    else this.#holdBack(through(this.#troubles, 'toGateway', bytes));
  }

  /** What one byte waits for, those behind it wait for too. */
  #holdBack(bytes: Uint8Array): void {
    const now = this.#clock.now();
    for (const { holdsMs } of this.#troubles)
      if (holdsMs !== undefined) this.#heldUntil = Math.max(this.#heldUntil, now + holdsMs(now));
    if (this.#heldUntil <= now) this.#write(bytes);
    else
      this.#clock.after(this.#heldUntil - now, () => {
        this.#write(bytes);
      });
  }

  #write(bytes: Uint8Array): void {
    if (this.#wired) this.#port?.write(bytes);
  }

  /** Everyone hears it; only whom it is for can do anything with it, so only those are asked. */
  #deliver(stuffed: Uint8Array, heard: OnAir): void {
    this.#counters.framesToTerminals += 1;
    const address = addressOf(stuffed);
    if (address === undefined) return;
    const short = ((stuffed[1] ?? 0) & SHORT) !== 0;
    if (!short) {
      if (address === BROADCAST) this.#call(stuffed, heard);
      else this.#hear(this.#seats.get(address) ?? [], stuffed, heard);
    } else if (!isInvitation(stuffed)) return;
    if (invites(stuffed)) this.#invite(heard);
  }

  #call(stuffed: Uint8Array, heard: OnAir): void {
    const call = new Call(stuffed);
    for (const seat of this.#everyone) {
      if (!isPresent(seat, heard, this.isWire)) continue;
      const reached = heardBy(seat.troubles, stuffed);
      if (reached === undefined) continue;
      const answer = seat.station.hearCall(reached === stuffed ? call : new Call(reached));
      if (answer !== undefined) this.#say(seat, answer.wire, heard.end + seat.turnaroundMs + answer.afterMs);
    }
  }

  #invite(heard: OnAir): void {
    for (const seat of this.#everyone) {
      // What it was asked by the same frame it may have done at once.
      const ended = { start: heard.start, freeBy: heard.end };
      if (!isPresent(seat, ended, this.isWire) || heardBy(seat.troubles, INVITATION_WIRE) === undefined)
        continue;
      const hand = seat.station.hand();
      if (hand !== undefined) this.#say(seat, hand, heard.end + seat.turnaroundMs);
    }
  }

  /** Nobody else speaks on a connection: there a hand needs no invitation. */
  #raise(seat: Seat): void {
    if (seat.raised || seat.since === undefined || this.#port === undefined) return;
    const hand = seat.station.hand();
    if (hand === undefined) return;
    seat.raised = true;
    this.#say(seat, hand, this.#clock.now() + seat.turnaroundMs);
  }

  #hear(seats: readonly Seat[], stuffed: Uint8Array, heard: OnAir): void {
    for (const seat of seats) {
      if (!isPresent(seat, heard, this.isWire)) continue;
      const reached = heardBy(seat.troubles, stuffed);
      seat.raised = false;
      const answers = reached === undefined ? [] : seat.station.hear(reached);
      if (reached !== undefined) seat.busyUntil = Math.max(heard.end, seat.busyUntil) + seat.station.workMs;
      if (answers.length === 0) continue;
      // A serial line has gaps between frames; on TCP they travel together.
      const parts = this.#byteMs > 0 ? answers : [joined(answers)];
      for (const part of parts) this.#say(seat, part, seat.busyUntil + seat.turnaroundMs);
    }
  }

  #say(seat: Seat, wire: Uint8Array, from: number): void {
    if (seat.troubles.none) this.#transmit(seat, wire, from);
    else {
      for (const said of saidBy(seat.troubles, wire)) this.#transmit(seat, said.wire, from + said.afterMs);
      this.#linger(seat, seat.troubles);
    }
  }

  #seatOf(station: Station): Seat | undefined {
    return this.#seats.get(station.address)?.find((seat) => seat.station === station);
  }

  #silence(seat: Seat): void {
    this.#air.cut(seat);
    seat.freeAt = this.#clock.now();
  }
}

const NOTHING = new Uint8Array(0);
const nothing = (): void => undefined;

function isInvitation(stuffed: Uint8Array): boolean {
  const wire = INVITATION_WIRE;
  return stuffed.length === wire.length - 1 && stuffed.every((byte, at) => byte === wire[at]);
}
