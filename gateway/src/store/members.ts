/** How processes that share a database stand. */
export interface Membership {
  /** Of this process. */
  readonly name: string;
  /** Who has the house: lines, jobs, what keeps the database in order; nobody when absent. */
  readonly house?: string;
  /** Of all that are there, sorted. */
  readonly members: readonly string[];
  /** Who speaks with a satellite, by its sync id. */
  readonly sites: ReadonlyMap<number, string>;
  /** Counts the connections to the database: with each, what this process held is gone. */
  readonly connection: number;
}

/** What of a database falls to one of several processes, as its connection holds it. */
export interface Roles {
  /** Whether this process speaks with a satellite; what it writes about it is refused else. */
  holds(site: number): boolean;
  /** @throws WhorlError STORE_* */
  takeHouse(): boolean;
  /** @throws WhorlError STORE_* */
  takeSite(site: number): boolean;
  leaveSite(site: number): void;
  /** Opens a database while no other process does: of several at a fresh one, one makes what is missing. */
  opening<T>(work: () => T): T;
  membership(): Membership;
}

/** What of a shared database falls to this process. Alone on its database, it has all of it. */
export interface MemberStore {
  /** `undefined` when nobody else may work on the database. @throws WhorlError STORE_* */
  membership(): Promise<Membership | undefined>;
  /** @returns whether this process has it now. @throws WhorlError STORE_* */
  takeHouse(): Promise<boolean>;
  /** @returns whether this process speaks with the satellite now. @throws WhorlError STORE_* */
  takeSite(site: number): Promise<boolean>;
  leaveSite(site: number): Promise<void>;
  /** Calls `told` when another process has written something. @returns ends it */
  watch(told: () => void): () => void;
}

/** The same, asked of a connection; without roles it is alone on its database. */
export class RoleStore implements MemberStore {
  readonly #roles: Roles | undefined;
  readonly #told: Set<() => void>;
  readonly #resume: () => void;

  /**
   * @param told are called when another process has written something
   * @param resume goes on with what whoever had the house before had begun
   */
  constructor(roles: Roles | undefined, told: Set<() => void>, resume: () => void) {
    this.#roles = roles;
    this.#told = told;
    this.#resume = resume;
  }

  async membership(): Promise<Membership | undefined> {
    return this.#roles?.membership();
  }

  async takeHouse(): Promise<boolean> {
    if (this.#roles?.takeHouse() === false) return false;
    this.#resume();
    return true;
  }

  async takeSite(site: number): Promise<boolean> {
    return this.#roles?.takeSite(site) ?? true;
  }

  async leaveSite(site: number): Promise<void> {
    this.#roles?.leaveSite(site);
  }

  watch(told: () => void): () => void {
    this.#told.add(told);
    return () => void this.#told.delete(told);
  }
}
