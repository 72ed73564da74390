import { fitting, recordDigest } from '@whorl/protocol';
import type { Cancel, Capabilities, Clock } from '@whorl/protocol';
import type { StoredUser } from '../store/store.ts';

/** So many terminals are compared at once: each holds a list of all its users in memory meanwhile. */
const MOST_AT_ONCE = 4;
/** Terminals are often compared one after the other. */
const KEPT_MS = 60_000;

interface Kept {
  readonly version: number;
  readonly digest: Uint8Array;
}

/** Digests of users as one kind of terminal holds them, by user. */
export type Digests = Map<number, Kept>;

/**
 * Turns for comparisons, and what they have in common: the digest of a user is made once for all terminals that can
 * hold the same of it, not once a terminal. It is kept in memory only, and not for long: a digest of few possible
 * values, such as a card's number, tells them.
 */
export class Comparisons {
  readonly #clock: Clock;
  readonly #digests = new Map<string, Digests>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #forget: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits for a turn. */
  async turn<T>(work: () => Promise<T>): Promise<T> {
    this.#forget?.();
    this.#forget = undefined;
    if (this.#running === MOST_AT_ONCE)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    else this.#running += 1;
    try {
      return await work();
    } finally {
      this.#over();
    }
  }

  /** What is known of users at terminals that can hold the same as these. */
  digests({ cards, fingers, faces, holds, ...formats }: Capabilities): Digests {
    const { cardFormats, fingerFormats, faceFormats } = formats;
    const kind = JSON.stringify([cards, fingers, faces, holds, cardFormats, fingerFormats, faceFormats]);
    const known = this.#digests.get(kind);
    if (known !== undefined) return known;
    const made: Digests = new Map();
    this.#digests.set(kind, made);
    return made;
  }

  /** Who has the number next begins with the same versions. */
  forget(user: number): void {
    for (const digests of this.#digests.values()) digests.delete(user);
  }

  /** The turn goes to who has waited longest. */
  #over(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    this.#running -= 1;
    if (this.#running > 0) return;
    this.#forget = this.#clock.after(KEPT_MS, () => {
      this.#digests.clear();
    });
  }
}

/**
 * The digest of a user as a terminal holds it.
 * @param read reads the user; called when its digest is not known at that version
 * @returns `undefined` when there is no such user any more
 */
export async function digestAt(
  digests: Digests,
  at: { readonly user: number; readonly version: number; readonly capabilities: Capabilities },
  read: () => Promise<StoredUser | undefined>,
): Promise<Uint8Array | undefined> {
  const known = digests.get(at.user);
  if (known?.version === at.version) return known.digest;
  const user = await read();
  if (user === undefined) return undefined;
  const digest = recordDigest(fitting(user.record, at.capabilities));
  digests.set(at.user, { version: user.version, digest });
  return digest;
}
