import { DELIMITER } from './cobs.ts';
import { MTU_MAX } from './frame.ts';

/**
 * Drops runs without a delimiter that are longer than any frame, so that a line stuck at one level, or at a wrong baud
 * rate, cannot fill memory. Stands before whatever collects bytes up to a delimiter.
 */
export class RunGuard {
  /** Bytes dropped so far. */
  dropped = 0;
  #run = 0;
  readonly #max: number;

  constructor(max = MTU_MAX) {
    this.#max = max;
  }

  /** The given bytes without what is too long; the array itself when nothing is. */
  filter(bytes: Uint8Array): Uint8Array {
    return this.#fits(bytes) ? bytes : this.#without(bytes);
  }

  /** Whether no run becomes too long with these bytes; if so, they are counted. */
  #fits(bytes: Uint8Array): boolean {
    let run = this.#run;
    let from = 0;
    for (let end = bytes.indexOf(DELIMITER); end >= 0; end = bytes.indexOf(DELIMITER, from)) {
      if (run + end - from > this.#max) return false;
      run = 0;
      from = end + 1;
    }
    run += bytes.length - from;
    if (run > this.#max) return false;
    this.#run = run;
    return true;
  }

  #without(bytes: Uint8Array): Uint8Array {
    const kept = new Uint8Array(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      this.#run = byte === DELIMITER ? 0 : this.#run + 1;
      if (this.#run > this.#max) continue;
      kept[length] = byte;
      length += 1;
    }
    this.dropped += bytes.length - length;
    return kept.subarray(0, length);
  }
}

const NOTHING = new Uint8Array(0);

/** Cuts a stream of bytes at its delimiters; what firmware does with a UART's interrupts. */
export class FrameSplitter {
  readonly #guard: RunGuard;
  readonly #max: number;
  /** Made when something is to be held: on thousands of connections whole frames come in nearly always. */
  #held = NOTHING;
  #length = 0;

  constructor(max = MTU_MAX) {
    this.#guard = new RunGuard(max);
    this.#max = max;
  }

  /** Bytes dropped because no delimiter came. */
  get dropped(): number {
    return this.#guard.dropped;
  }

  /**
   * Takes what arrived and calls `deliver` with each run of bytes between two delimiters that is not empty. The array
   * handed over is the receiver's to keep.
   */
  push(bytes: Uint8Array, deliver: (stuffed: Uint8Array) => void): void {
    const kept = this.#guard.filter(bytes);
    let from = 0;
    for (;;) {
      const end = kept.indexOf(DELIMITER, from);
      if (end < 0) break;
      const stuffed = this.#take(kept.subarray(from, end));
      if (stuffed.length > 0) deliver(stuffed);
      from = end + 1;
    }
    if (from === kept.length) return;
    if (this.#held.length === 0) this.#held = new Uint8Array(this.#max);
    this.#held.set(kept.subarray(from), this.#length);
    this.#length += kept.length - from;
  }

  /**
   * What came since the last delimiter is no frame: forgets it.
   * @returns how many bytes that were
   */
  cut(): number {
    const held = this.#length;
    this.#guard.filter(Uint8Array.of(DELIMITER));
    this.#length = 0;
    return held;
  }

  #take(tail: Uint8Array): Uint8Array {
    const whole = new Uint8Array(this.#length + tail.length);
    whole.set(this.#held.subarray(0, this.#length));
    whole.set(tail, this.#length);
    this.#length = 0;
    return whole;
  }
}
