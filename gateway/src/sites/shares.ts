import { describe } from '@whorl/protocol';
import type { Log } from '../settings/log.ts';
import type { Membership, MemberStore } from '../store/members.ts';

/** What a process is to do so that all speak with about as many satellites. */
export interface Share {
  readonly take: readonly number[];
  /** How many of its own it is to leave to others. */
  readonly leave: number;
}

/** Of these satellites, each process speaks with at most its part, rounded up; what is free is taken up to that. */
export function shareOf({ name, members, sites }: Membership, list: readonly number[]): Share {
  const part = Math.ceil(list.length / Math.max(members.length, 1));
  const mine = list.filter((site) => sites.get(site) === name).length;
  const free = list.filter((site) => !sites.has(site));
  return { take: free.slice(0, Math.max(part - mine, 0)), leave: Math.max(mine - part, 0) };
}

export interface SharesParts {
  readonly store: MemberStore;
  readonly log: Log;
  /** Sync ids of all satellites. */
  readonly list: () => readonly number[];
  /** Whether a question of a satellite is being worked on. */
  readonly busy: (site: number) => boolean;
  /** From now on this process speaks with it. */
  readonly taken: (site: number) => Promise<void>;
  /** No longer. */
  readonly left: (site: number) => void;
}

/** Which satellites this process speaks with, among several. */
export class Shares {
  readonly #parts: SharesParts;
  readonly #mine = new Set<number>();
  #connection = 0;
  /** Of all processes, as it was last. */
  #membership: Membership | undefined;

  constructor(parts: SharesParts) {
    this.#parts = parts;
  }

  holds(site: number): boolean {
    return this.#mine.has(site);
  }

  get all(): readonly number[] {
    return [...this.#mine];
  }

  /** Name of the process that speaks with a satellite; `undefined` while nobody does. */
  holder(site: number): string | undefined {
    return this.#membership?.sites.get(site);
  }

  /** Takes and leaves what it should as all processes stand now. @throws WhorlError STORE_* */
  async settle(membership: Membership): Promise<void> {
    const { store, list, busy } = this.#parts;
    this.#membership = membership;
    if (membership.connection !== this.#connection) for (const site of this.#mine) this.#leave(site);
    this.#connection = membership.connection;
    const known = list();
    for (const site of this.#mine) if (!known.includes(site)) await this.#giveAway(site);
    const { take, leave } = shareOf(membership, known);
    for (const site of this.all.filter((one) => !busy(one)).slice(0, leave)) await this.#giveAway(site);
    for (const site of take)
      if (await store.takeSite(site)) {
        this.#mine.add(site);
        await this.#parts.taken(site);
      }
  }

  /** Leaves all of them to others. */
  async end(): Promise<void> {
    for (const site of this.#mine)
      await this.#giveAway(site).catch((error: unknown) => {
        this.#parts.log.warn({}, `site ${site} could not be left to others: ${describe(error)}`);
      });
  }

  async #giveAway(site: number): Promise<void> {
    this.#leave(site);
    await this.#parts.store.leaveSite(site);
  }

  #leave(site: number): void {
    this.#mine.delete(site);
    this.#parts.left(site);
  }
}
