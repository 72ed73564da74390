/** A credential that a site's gateway took from a terminal. */
export interface Enrolled {
  readonly site: string;
  readonly terminal: string;
  readonly user: number;
  readonly field: number;
  /** In base64. */
  readonly value: string;
  /** Of the change in the site's log. */
  readonly seq: number;
}

/** A credential of somebody who was deleted since. */
interface Buried extends Enrolled {
  readonly time: number;
}

/** Somebody who must be there. */
interface Person {
  /** That the master gave last. */
  readonly name?: string | undefined;
  /** What the master gave and lost with its database: it asks an operator, where it does not take it again. */
  readonly lostName?: string | undefined;
  /** Of the change at the master that made the person, where it was made there. */
  readonly born?: number | undefined;
}

/**
 * What must be true of a company because of what people did: who is there, under what name, and whose credentials are
 * not lost. It knows nothing of how gateways go about it; where two things were done at once at different places, so that
 * either may have come first, it takes over what became of it.
 */
export class Truth {
  readonly people = new Map<number, Person>();
  /** May be there or not. */
  readonly unsure = new Set<number>();
  /** Credentials that must not be lost. */
  enrolled: Enrolled[] = [];
  /** Credentials of somebody who was deleted: nobody who has the number later may have them. */
  buried: Buried[] = [];
  /** Since the last deletion of a user at the master: position in its log. */
  readonly deleted = new Map<number, number>();
  /** Deleted at the master, and no site had them. */
  readonly unheard = new Set<number>();
  /** Enrolments and additions, for counting that nothing is done twice. */
  readonly deeds = new Map<number, number>();

  added(user: number, name: string, born: number): void {
    this.#did(user);
    if (this.unsure.delete(user)) this.enrolled = this.enrolled.filter((one) => one.user !== user);
    this.people.set(user, { name, born });
  }

  named(user: number, name: string): void {
    const held = this.people.get(user);
    if (held !== undefined) this.people.set(user, { ...held, name, lostName: undefined });
  }

  /** The master's database went back; what it calls somebody is not what it called them last. */
  nameWentBack(user: number, name: string | undefined, isElsewhere: boolean): void {
    const held = this.people.get(user);
    if (held?.name === undefined || held.name === name) return;
    this.people.set(user, { ...held, name, lostName: isElsewhere ? held.name : undefined });
  }

  /** @param raced of this user, what the master had not heard of: it may make the user anew, or be another one's */
  removed(user: number, seq: number, { raced, time }: { raced: ReadonlySet<Enrolled>; time: number }): void {
    this.people.delete(user);
    const gone = this.enrolled.filter((one) => one.user === user && !raced.has(one));
    this.buried.push(...gone.map((one) => ({ ...one, time })));
    this.enrolled = this.enrolled.filter((one) => one.user !== user);
    this.deleted.set(user, seq);
    if (raced.size > 0) this.unsure.add(user);
  }

  /**
   * @param present whether the site had this user
   * @param stale when the site had somebody who was deleted at the master since: the time
   */
  enrolledAt(one: Enrolled, { present, stale }: { present: boolean; stale: number | undefined }): void {
    this.#did(one.user);
    if (stale !== undefined) {
      this.buried.push({ ...one, time: stale });
      return;
    }
    const again = (other: Enrolled): boolean =>
      other.site === one.site &&
      other.terminal === one.terminal &&
      other.user === one.user &&
      other.field === one.field;
    this.enrolled = this.enrolled.filter((other) => !again(other));
    if (this.unsure.has(one.user)) return;
    this.enrolled.push(one);
    if (!present && !this.people.has(one.user)) this.people.set(one.user, {});
  }

  /** Somebody was enrolled, and nobody was told whether it is stored. */
  attempted(user: number): void {
    this.#did(user);
    this.doubt(user);
  }

  /** It is not known any more what became of this user. */
  doubt(user: number): void {
    this.unsure.add(user);
    this.people.delete(user);
    this.enrolled = this.enrolled.filter((one) => one.user !== user);
  }

  /**
   * What a site had not told the master when its database went back is lost with it.
   * @param reached how far it had
   * @param apart of whom it kept something to itself
   */
  wentBack(site: string, reached: number, apart: ReadonlySet<number>): void {
    const isLost = (one: Enrolled): boolean =>
      one.site === site && (one.seq > reached || apart.has(one.user));
    for (const { user } of this.enrolled.filter(isLost)) this.doubt(user);
  }

  /**
   * The master went back to a backup, and all had heard of all that it did. Whoever was deleted behind it and has lost the
   * number to somebody since is there again, as nobody can tell which of both it is; and who was deleted there alone, as nobody
   * remembers it.
   * @param held numbers that the master has again
   */
  masterWentBack(time: number, held: ReadonlySet<number>): void {
    this.deleted.clear();
    for (const user of this.unheard) if (held.has(user) && !this.people.has(user)) this.doubt(user);
    this.unheard.clear();
    const isTaken = (user: number): boolean => this.people.has(user) || this.unsure.has(user);
    this.buried = this.buried.filter((one) => one.time <= time || !held.has(one.user) || !isTaken(one.user));
  }

  /** Takes over from the master who may be there or not. */
  settle(held: ReadonlySet<number>): void {
    for (const user of this.unsure) if (held.has(user)) this.people.set(user, {});
    for (const user of this.unsure) if (!held.has(user)) this.people.delete(user);
    this.buried = this.buried.filter(({ user }) => !this.unsure.has(user));
    this.unsure.clear();
  }

  #did(user: number): void {
    this.deeds.set(user, (this.deeds.get(user) ?? 0) + 1);
  }
}
