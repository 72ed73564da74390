import type { AutoSync } from '@whorl/gateway/settings/runtime';

/** A credential that a terminal acknowledged. */
export interface Enrolled {
  readonly terminal: string;
  readonly user: number;
  readonly field: number;
  /** In base64. */
  readonly value: string;
}

/** What a terminal held at a moment that may come back. */
export interface OlderState {
  /** Records of its log that tell of changes that people made there. */
  readonly changes: number;
  readonly users: readonly number[];
  /** Those of them whom people had put there. */
  readonly put: readonly number[];
}

/** What held at a moment that may come back. */
export interface Remembered {
  readonly users: ReadonlyMap<number, { readonly name?: string }>;
  /** Credentials that the gateway had. */
  readonly safe: readonly Enrolled[];
  readonly autoSync: AutoSync;
  readonly keepsNames: boolean;
  /** How many erasures there had been. */
  readonly erasures: number;
}

/** What there is now. */
export interface Still {
  /** Users at terminals. */
  readonly there: ReadonlySet<number>;
  /** `terminal user`: what is there, or was to be, is not what the gateway has again. */
  readonly others: readonly string[];
  /** All of them, by name. */
  readonly terminals: readonly string[];
  /** Whether it is still at the terminal where it was enrolled. */
  readonly isStill: (one: Enrolled) => boolean;
}

/**
 * What must be true of a site because of what people did; it knows nothing of how a gateway goes about it. Fed with
 * what people do, asked at quiet points.
 */
export class Belief {
  /** Users that the gateway must hold, with the name that it gave them last. */
  readonly users = new Map<number, { name?: string }>();
  /** `terminal user`: people put the user there, and did not take it away. */
  readonly put = new Set<string>();
  /** `terminal user`: changed by people while such changes were not taken, so it may differ there. */
  readonly apart = new Set<string>();
  /** Templates that were ever enrolled, in base64: none of them stands anywhere in clear. */
  readonly templates = new Set<string>();
  /** Names of users who were erased: none of them stands anywhere any more. */
  readonly erasedNames = new Set<string>();
  /** Numbers of two people, as far as can be told: when one of them is deleted at the gateway, the other one may come. */
  readonly shared = new Set<number>();
  /** Credentials that must not be lost. */
  enrolled: Enrolled[] = [];
  /** Credentials at portable terminals that are still to be sent. */
  waiting: Enrolled[] = [];
  /** Credentials that were enrolled while nothing is taken from terminals. */
  untaken: Enrolled[] = [];
  /** What goes out by itself. */
  autoSync: AutoSync = 'all-with-device-updates';
  /** Whether a name that the gateway has is never overwritten. */
  keepsNames = true;
  /** Since the last quiet point: changes that people made at terminals, and faults. */
  changesThere = 0;
  faults = 0;
  /** Users whom somebody wanted tried again at a terminal, in this round. */
  again = 0;
  /** Of the faults those by which a terminal refuses what it could hold. */
  refusing = 0;
  /** Since then deleted at one place and changed at another, so that either may have come first. */
  readonly #raced = new Set<number>();
  /** Credentials that were not lost by the last quiet point. */
  #safe: ReadonlySet<Enrolled> = new Set();
  readonly #deleted = new Set<number>();
  /** Deleted at the gateway, and nobody put them anywhere since: an older state of a terminal brings none of them back. */
  readonly #buried = new Set<number>();
  readonly #changed = new Set<number>();
  /** Users, in the order in which they were erased. */
  readonly #erasures: number[] = [];
  /** Those since the last quiet point. */
  readonly #erasing = new Set<number>();
  /** Since then the gateway went back to before it called them what they are called at terminals, which it does not know. */
  readonly #renamed = new Set<number>();
  /** Since then it went back to before it had them, and terminals have them still: their numbers may become two people's. */
  readonly #unknown = new Set<number>();
  /** What the gateway ever called users. */
  readonly #names = new Map<number, Set<string>>();

  /** Whether changes at terminals come back. */
  get taken(): boolean {
    return this.autoSync !== 'off' && this.autoSync !== 'all';
  }

  /** Whether some terminal may hold something else of a user than it was given. */
  isApart(user: number): boolean {
    return isAmong(this.apart, user);
  }

  enrolledAt(one: Enrolled): void {
    this.#changedAt(one.terminal, one.user);
    const others = this.enrolled.filter((other) => !isSamePlace(one, other));
    this.enrolled = others;
    this.untaken = this.untaken.filter((other) => !isSamePlace(one, other));
    const known = this.taken ? this.enrolled : this.untaken;
    known.push(one);
    this.put.add(`${one.terminal} ${one.user}`);
  }

  /** The setting is another one; what was enrolled before it is fetched, where it still is. */
  setting(autoSync: AutoSync, isStill: (one: Enrolled) => boolean): void {
    this.autoSync = autoSync;
    if (!this.taken) return;
    this.enrolled.push(...this.untaken.filter(isStill));
    this.untaken = [];
  }

  /** Enrolled at a portable terminal: the gateway knows nothing of it before it is sent. */
  waitsAt(one: Enrolled): void {
    const { terminal, user, field } = one;
    this.unsureAt({ terminal, user, field });
    this.waiting.push(one);
  }

  /** What was not sent from there is to be lost. @param user of this one alone */
  forgetsWaiting(terminal: string, user?: number): void {
    const kept = (one: Enrolled): boolean =>
      one.terminal !== terminal || (user !== undefined && one.user !== user);
    this.waiting = this.waiting.filter(kept);
  }

  /** What waits there may come any time from now on. @param users of whom something does */
  mayCome(terminal: string, users: readonly number[]): void {
    for (const user of users) this.unsureAt({ terminal, user });
  }

  /** What does not wait any more was sent. @param waits whether a terminal has still to send something of a user */
  sent(waits: (terminal: string, user: number) => boolean): void {
    const isThere = ({ terminal, user }: Enrolled): boolean => waits(terminal, user);
    this.enrolled.push(...this.waiting.filter((one) => !isThere(one)));
    this.waiting = this.waiting.filter(isThere);
  }

  editedAt(terminal: string, user: number): void {
    this.#changedAt(terminal, user);
  }

  /** It lost power while this was done there: it may or may not have been. @param field what was being enrolled */
  unsureAt({ terminal, user, field }: { terminal: string; user: number; field?: number }): void {
    this.changesThere += 1;
    this.#changed.add(user);
    this.#buried.delete(user);
    if (!this.users.has(user)) this.#raced.add(user);
    this.put.add(`${terminal} ${user}`);
    if (!this.taken) this.apart.add(`${terminal} ${user}`);
    const replaced = (one: Enrolled): boolean =>
      one.terminal === terminal && one.user === user && one.field === field;
    this.enrolled = this.enrolled.filter((one) => !replaced(one));
    this.untaken = this.untaken.filter((one) => !replaced(one));
    this.waiting = this.waiting.filter((one) => !replaced(one));
  }

  /**
   * An older state was put back there. What had not come back from there by then is gone; what the gateway had by the
   * last quiet point it has.
   * @param copy.changes by people that its log tells of again
   * @param copy.users who are there again
   * @param copy.put those of them whom people had put there
   */
  wentBack(terminal: string, copy: OlderState): void {
    this.changesThere += copy.changes;
    for (const user of copy.put) this.put.add(`${terminal} ${user}`);
    // While nothing is taken from terminals, whom the gateway does not know is left where they are.
    const isKnown = (user: number): boolean =>
      this.users.has(user) || this.#deleted.has(user) || this.#buried.has(user);
    if (!this.taken) for (const user of copy.users) if (!isKnown(user)) this.apart.add(`${terminal} ${user}`);
    for (const user of this.#changed) this.#raced.add(user);
    this.enrolled = this.enrolled.filter((one) => one.terminal !== terminal || this.#safe.has(one));
    this.untaken = this.untaken.filter((one) => one.terminal !== terminal);
  }

  /** What had not come back from there by now is gone with the user. */
  removedAt(terminal: string, user: number): void {
    this.changesThere += 1;
    this.#raced.add(user);
    this.put.delete(`${terminal} ${user}`);
    const isThere = (one: Enrolled): boolean => one.terminal === terminal && one.user === user;
    this.enrolled = this.enrolled.filter((one) => !isThere(one));
    this.untaken = this.untaken.filter((one) => !isThere(one));
  }

  named(user: number, name: string): void {
    if (this.#unknown.has(user)) this.shared.add(user);
    this.#buried.delete(user);
    this.#deleted.delete(user);
    this.users.set(user, this.keepsNames ? { name } : {});
    this.#names.set(user, (this.#names.get(user) ?? new Set()).add(name));
  }

  deletedHere(user: number): void {
    this.users.delete(user);
    this.#deleted.add(user);
    // Nothing tells that who comes back with an older state of a terminal is the same person.
    if (this.#renamed.has(user)) this.#raced.add(user);
    this.enrolled = this.enrolled.filter((one) => one.user !== user);
    this.untaken = this.untaken.filter((one) => one.user !== user);
    this.waiting = this.waiting.filter((one) => one.user !== user);
  }

  /** @param reached whether everything that may tell of them could be written */
  erasedHere(user: number, reached: boolean): void {
    this.deletedHere(user);
    this.#erasures.push(user);
    this.#erasing.add(user);
    if (reached) for (const name of this.#names.get(user) ?? []) this.erasedNames.add(name);
    this.#names.delete(user);
  }

  /**
   * Whether what is enrolled of this number goes with somebody who was erased: it is on that one, or their erasure is still
   * on its way there.
   * @param isThere whether a terminal that has not heard of it holds them
   */
  goesErased(user: number, isThere: boolean): boolean {
    return isThere ? this.#erasures.includes(user) : this.#erasing.has(user);
  }

  /** The power went while it was added or deleted at the gateway: either may be. */
  unsure(user: number): void {
    this.#buried.delete(user);
    this.#raced.add(user);
    this.waiting = this.waiting.filter((one) => one.user !== user);
    this.forgetName(user);
  }

  forgetName(user: number): void {
    if (this.users.has(user)) this.users.set(user, {});
  }

  /** Somebody decided conflicts: what was decided against is refused, not lost, and names are as was decided. */
  decided(): void {
    this.enrolled = [];
    this.waiting = [];
    this.forgetNames();
  }

  forgetNames(): void {
    for (const user of this.users.keys()) this.users.set(user, {});
  }

  /** @param held users that the gateway holds now */
  remember(held: ReadonlySet<number>): Remembered {
    const users = new Map([...held].map((user) => [user, { ...this.users.get(user) }]));
    const safe = this.enrolled.filter((one) => this.#safe.has(one));
    const { autoSync, keepsNames } = this;
    return { users, safe, autoSync, keepsNames, erasures: this.#erasures.length };
  }

  /**
   * The gateway holds again what it held then, but for who was erased since. What came to it later comes again from where it
   * still is; of the rest nobody knows.
   */
  forgot({ users, safe, autoSync, keepsNames, erasures }: Remembered, still: Still): void {
    const { there, isStill } = still;
    const erased = new Set(this.#erasures.slice(erasures));
    // Deleted a moment ago, and maybe on the way to a terminal even now.
    const going = [...this.#deleted].filter((user) => !erased.has(user));
    for (const user of [...this.users.keys(), ...there, ...erased, ...this.#deleted]) this.#raced.add(user);
    const names = new Map([...this.users].map(([user, { name }]) => [user, name]));
    for (const user of there) if (!users.has(user)) this.#unknown.add(user);
    this.users.clear();
    for (const [user, known] of users) {
      if (erased.has(user)) continue;
      if (names.get(user) !== known.name) this.#renamed.add(user);
      this.users.set(user, { ...known });
      this.#raced.delete(user);
      this.#deleted.delete(user);
    }
    this.autoSync = autoSync;
    this.untaken = [];
    const later = this.enrolled.filter(
      (one) => this.taken && !safe.includes(one) && !erased.has(one.user) && isStill(one),
    );
    // What people put in its place there comes again.
    const before = safe.filter(
      (one) => !erased.has(one.user) && !later.some((other) => isSamePlace(one, other)),
    );
    // It takes nothing from terminals then, and overwrites or removes nothing there that may be nowhere else.
    if (!this.taken)
      for (const other of [
        ...still.others,
        ...still.terminals.flatMap((name) => going.map((user) => `${name} ${user}`)),
      ])
        this.apart.add(other);
    this.enrolled = [...before, ...later];
    this.#safe = new Set(before);
    this.keepsNames = keepsNames;
    this.#buried.clear();
  }

  /** Takes over from the gateway what was a race. @param held users that the gateway holds */
  settle(held: ReadonlySet<number>): void {
    this.#erasing.clear();
    for (const user of this.#deleted) if (this.#changed.has(user)) this.#raced.add(user);
    const { waiting } = this;
    for (const user of this.#raced) {
      if (!held.has(user)) this.deletedHere(user);
      else if (!this.users.has(user)) this.users.set(user, {});
    }
    this.waiting = waiting;
    for (const user of this.#deleted)
      if (!this.#raced.has(user) && !this.shared.has(user) && !this.isApart(user)) this.#buried.add(user);
    for (const user of held)
      if (!this.users.has(user) && !this.#buried.has(user) && this.#mayCome(user)) this.users.set(user, {});
    this.#safe = new Set(this.enrolled);
    for (const known of [this.#raced, this.#deleted, this.#changed, this.#renamed, this.#unknown])
      known.clear();
  }

  /** Whether people put them somewhere, or changed them there while that was not taken, or there is another one of this number. */
  #mayCome(user: number): boolean {
    return isAmong(this.put, user) || this.isApart(user) || this.shared.has(user);
  }

  #changedAt(terminal: string, user: number): void {
    this.changesThere += 1;
    this.#changed.add(user);
    this.#buried.delete(user);
    if (this.taken) this.users.set(user, this.users.get(user) ?? {});
    else this.apart.add(`${terminal} ${user}`);
  }
}

function isSamePlace(one: Enrolled, other: Enrolled): boolean {
  return one.terminal === other.terminal && one.user === other.user && one.field === other.field;
}

/** @param some `terminal user` */
function isAmong(some: ReadonlySet<string>, user: number): boolean {
  return [...some].some((one) => one.endsWith(` ${user}`));
}
