import { DELIMITER } from '../frame/cobs.ts';
import { MTU_MAX } from '../frame/frame.ts';
import type { Crossed, Direction } from './packet.ts';

/** What holds no delimiter is cut here: no frame is longer, and a line that is stuck fills no memory. */
const LONGEST_RUN_BYTES = MTU_MAX;

/**
 * Cuts what crosses a line behind each delimiter, each direction for itself. Nothing is lost and nothing put in: what
 * comes out, one behind the other, is what went in. Where bytes take time, what has been begun towards the gateway ends
 * as it speaks: it waits for its delimiter no longer, which was damaged, and the answer to its next try stands alone.
 */
export class Runs {
  readonly #deliver: (run: Crossed) => void;
  readonly #byteUs: number;
  readonly #held = new Map<Direction | undefined, Held>();

  /** @param byteUs how long a byte takes on the line, microseconds; 0 where it takes no time */
  constructor(byteUs: number, deliver: (run: Crossed) => void) {
    this.#byteUs = byteUs;
    this.#deliver = deliver;
  }

  /** @param timeUs when the last of these bytes had arrived */
  push(bytes: Uint8Array, timeUs: number, direction: Direction | undefined): void {
    if (this.#byteUs > 0 && direction === 'to-terminal')
      for (const [other, held] of this.#held)
        if (other !== direction && held.length > 0) this.#cut(held, other);
    const held = this.#of(direction);
    for (let from = 0; from < bytes.length;) {
      const end = bytes.indexOf(DELIMITER, from) + 1;
      const to = Math.min(end === 0 ? bytes.length : end, from + LONGEST_RUN_BYTES - held.length);
      held.bytes.set(bytes.subarray(from, to), held.length);
      held.length += to - from;
      held.timeUs = Math.round(timeUs - (bytes.length - to) * this.#byteUs);
      if (to === end || held.length === LONGEST_RUN_BYTES) this.#cut(held, direction);
      from = to;
    }
  }

  /** Hands over what waits for a delimiter that will not come any more. */
  end(): void {
    for (const [direction, held] of this.#held) if (held.length > 0) this.#cut(held, direction);
  }

  #of(direction: Direction | undefined): Held {
    const known = this.#held.get(direction);
    if (known !== undefined) return known;
    const held = { bytes: new Uint8Array(LONGEST_RUN_BYTES), length: 0, timeUs: 0 };
    this.#held.set(direction, held);
    return held;
  }

  #cut(held: Held, direction: Direction | undefined): void {
    const bytes = held.bytes.slice(0, held.length);
    held.length = 0;
    this.#deliver({ timeUs: held.timeUs, direction, bytes });
  }
}

interface Held {
  readonly bytes: Uint8Array;
  length: number;
  timeUs: number;
}
