/** A frame as it leaves a terminal, so many milliseconds later than it would. */
export interface Said {
  readonly wire: Uint8Array;
  readonly afterMs: number;
}

/** What is wrong with one terminal's ends of the wire. */
export interface SeatTrouble {
  /** What reaches it of a stuffed frame; `undefined` nothing. */
  readonly hears?: (stuffed: Uint8Array) => Uint8Array | undefined;
  /** What leaves it instead of a frame. */
  readonly says?: (wire: Uint8Array) => readonly Said[];
  /** How long its driver holds the line after what it says, milliseconds: who speaks then is not understood. */
  readonly lingersMs?: number;
}

/** What is wrong with a wire as a whole, or with the gateway's adapter on it. */
export interface LineTrouble {
  /** What reaches the terminals of what the gateway said. */
  readonly toTerminals?: (bytes: Uint8Array) => Uint8Array;
  /** What reaches the gateway. */
  readonly toGateway?: (bytes: Uint8Array) => Uint8Array;
  /** How long the adapter keeps bytes for the gateway that it has at `now`, milliseconds. */
  readonly holdsMs?: (now: number) => number;
  /** The gateway's adapter hears what it sends itself. */
  readonly echo?: boolean;
  /** How long the adapter's driver holds the line after what it sends, milliseconds. */
  readonly lingersMs?: number;
}

/** Troubles of one thing, in the order in which they came. */
export class Troubles<Trouble extends object> {
  readonly #all = new Set<Trouble>();

  /** @returns what ends it */
  add(trouble: Trouble): () => void {
    this.#all.add(trouble);
    return () => void this.#all.delete(trouble);
  }

  get none(): boolean {
    return this.#all.size === 0;
  }

  [Symbol.iterator](): IterableIterator<Trouble> {
    return this.#all.values();
  }
}

/** How long a driver holds the line after its last byte. */
export function lingersBy(troubles: Troubles<Pick<SeatTrouble, 'lingersMs'>>): number {
  let longest = 0;
  for (const { lingersMs = 0 } of troubles) longest = Math.max(longest, lingersMs);
  return longest;
}

/** What a terminal hears of a frame. */
export function heardBy(troubles: Troubles<SeatTrouble>, stuffed: Uint8Array): Uint8Array | undefined {
  if (troubles.none) return stuffed;
  let heard: Uint8Array | undefined = stuffed;
  for (const { hears } of troubles) if (heard !== undefined && hears !== undefined) heard = hears(heard);
  return heard;
}

/** What leaves a terminal of a frame. */
export function saidBy(troubles: Troubles<SeatTrouble>, wire: Uint8Array): readonly Said[] {
  let said: readonly Said[] = [{ wire, afterMs: 0 }];
  for (const { says } of troubles)
    if (says !== undefined)
      said = said.flatMap((one) =>
        says(one.wire).map((next) => ({ wire: next.wire, afterMs: one.afterMs + next.afterMs })),
      );
  return said;
}

/** Bytes of a line as they come out at one of its ends. */
export function through(
  troubles: Troubles<LineTrouble>,
  way: 'toTerminals' | 'toGateway',
  bytes: Uint8Array,
): Uint8Array {
  let out = bytes;
  for (const trouble of troubles) out = trouble[way]?.(out) ?? out;
  return out;
}
