/** Milliseconds that a batch should take: quick enough that a cut costs little, long enough that waiting is not all. */
const SHORT_MS = 700;
const LONG_MS = 3000;
const LEAST_BYTES = 2 * 1024;
const MOST_BYTES = 128 * 1024;
const FIRST_BYTES = 24 * 1024;

/** How large batches are: adapts to what the link does with them. */
export class Pace {
  #bytes = FIRST_BYTES;

  /** About so many bytes in the next batch. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A batch of `bytes` was there and answered after so long. */
  took(bytes: number, ms: number): void {
    if (ms > LONG_MS) this.#set(this.#bytes / 2);
    // A small batch tells nothing of what a large one would take.
    else if (ms < SHORT_MS && bytes * 2 >= this.#bytes) this.#set(this.#bytes * 2);
  }

  /** A batch was not answered in time. */
  lost(): void {
    this.#set(this.#bytes / 4);
  }

  #set(bytes: number): void {
    this.#bytes = Math.round(Math.min(Math.max(bytes, LEAST_BYTES), MOST_BYTES));
  }
}

/** Milliseconds to wait after so many bytes, so that no more than a limit are sent a second; 0 is no limit. */
export function pause(bytes: number, tookMs: number, bytesPerSecond: number): number {
  if (bytesPerSecond <= 0) return 0;
  return Math.max((bytes / bytesPerSecond) * 1000 - tookMs, 0);
}
