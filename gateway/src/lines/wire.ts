import { DELIMITER, wireMs } from '@whorl/protocol';
import type { Clock, LineTiming } from '@whorl/protocol';
import type { LineCounters } from './status.ts';
import type { Transport } from './transport.ts';

const CLEARING = Uint8Array.of(DELIMITER);

/** The outgoing side of an open line: knows by the byte times when the wire is free, and keeps frames apart from noise. */
export class Wire {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #timing: LineTiming;
  readonly #counters: LineCounters;
  /** Something on a shared line was not understood: who listens there may hold a part of it, too. */
  #dirty = false;
  #freeAt = 0;
  /** Milliseconds in which bytes were on their way. */
  busyMs = 0;

  constructor(parts: { transport: Transport; clock: Clock; timing: LineTiming; counters: LineCounters }) {
    this.#transport = parts.transport;
    this.#clock = parts.clock;
    this.#timing = parts.timing;
    this.#counters = parts.counters;
  }

  /** When the last byte handed over will have left. */
  get freeAt(): number {
    return this.#freeAt;
  }

  /** Milliseconds that so many bytes take; none where there are no byte times. */
  byteTimes(bytes: number): number {
    return this.#timing.baud === undefined ? 0 : wireMs(bytes, this.#timing.baud);
  }

  /** @param written called when the operating system has the bytes */
  send(frame: Uint8Array, written: () => void = nothing): void {
    const bytes = this.#afresh() ? joined(CLEARING, frame) : frame;
    const time = this.byteTimes(bytes.length);
    this.#freeAt = Math.max(this.#freeAt, this.#clock.now()) + time;
    this.busyMs += time;
    this.#counters.framesOut += 1;
    this.#counters.bytesOut += bytes.length;
    this.#transport.write(bytes, written);
  }

  /**
   * Sends bytes of another protocol as they are.
   * @returns when the last of them will have left
   */
  sendForeign(bytes: Uint8Array): number {
    const time = this.byteTimes(bytes.length);
    this.#freeAt = Math.max(this.#freeAt, this.#clock.now()) + time;
    this.busyMs += time;
    this.#counters.bytesOut += bytes.length;
    this.#dirty = true;
    this.#transport.write(bytes, nothing);
    return this.#freeAt;
  }

  /** Ends what has come in since the last delimiter. @returns whether that was anything */
  cut(): boolean {
    const cut = this.#transport.cut();
    this.#dirty ||= cut;
    return cut;
  }

  /** Something was not understood, or did not come: a delimiter goes before the next frame. */
  spoilt(): void {
    this.#dirty = true;
  }

  /**
   * On a shared line nobody else speaks when the gateway does: what has come in since the last delimiter is noise, or
   * two that spoke at once. Terminals heard it too, and take the next frame for its end.
   * @returns whether a delimiter is due before the next frame
   */
  #afresh(): boolean {
    if (this.#timing.baud === undefined) return false;
    const afresh = this.cut() || this.#dirty;
    this.#dirty = false;
    return afresh;
  }
}

const nothing = (): void => undefined;

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
