/** Where it is written. */
export interface ProgressOut {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** How far long work is, for people who look on: one line that is written over. Into a file goes only what stays. */
export class ProgressLine {
  readonly #out: ProgressOut;
  #shown = false;

  constructor(out: ProgressOut) {
    this.#out = out;
  }

  at(text: string): void {
    if (this.#out.isTTY !== true) return;
    this.#out.write(`\r${text}\x1b[K`);
    this.#shown = true;
  }

  /** A line that stays. */
  say(text: string): void {
    this.end();
    this.#out.write(`${text}\n`);
  }

  end(): void {
    if (this.#shown) this.#out.write('\r\x1b[K');
    this.#shown = false;
  }
}
