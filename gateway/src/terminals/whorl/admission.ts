/**
 * Lets so many at once do what costs the processor much; the others wait in the order in which they came. When
 * thousands come back together, whoever has begun a handshake then finishes it, and nobody else is kept waiting.
 */
export class Admission {
  readonly #most: number;
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Does `work` when its turn has come. @throws what `work` throws */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside < this.#most) this.#inside += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }
}
