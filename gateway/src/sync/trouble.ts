import { codeOf, counted, describe, textOf } from '@whorl/protocol';
import type { Cancel, Clock, ErrorCode, Random } from '@whorl/protocol';
import type { NewEvent } from '../events/catalogue.ts';
import type { EventHub } from '../events/hub.ts';
import type { Log } from '../settings/log.ts';
import type { Store } from '../store/store.ts';

/** What the database says when it cannot take something, at least for now. */
export const TROUBLES = [
  ...(['STORE_BUSY', 'STORE_FULL', 'STORE_READONLY', 'STORE_IO', 'STORE_CORRUPT'] as const),
  ...(['STORE_UNREACHABLE', 'STORE_REFUSED'] as const),
] as const;
export type TroubleCode = (typeof TROUBLES)[number];

const FIRST_MS = 1_000;
const LAST_MS = 60_000;
/** Without a failure for so long, the trouble is over; whoever waited has tried again by then. */
const QUIET_MS = 10_000;
/** Users that are known by number to wait; more are not counted. */
const MOST_WAITING = 10_000;

/** That the database cannot be written, for those who look. */
export interface DatabaseTrouble {
  readonly code: TroubleCode;
  /** What, and which file. */
  readonly reason: string;
  /** Milliseconds UTC. */
  readonly since: number;
  /** Users whose last change is at a terminal only, as far as is known. */
  readonly waiting: number;
  /** When it is tried again, milliseconds UTC. */
  readonly nextTry: number;
}

/** What could not be stored. */
export interface Unsaved {
  readonly terminal: string;
  /** Whose change it is. */
  readonly users: readonly number[];
}

interface Parts {
  readonly store: Pick<Store, 'spill' | 'addEvents'>;
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

type About = Pick<NewEvent, 'terminal' | 'user'>;

/** A time in which the database cannot be written. */
interface Episode {
  readonly since: number;
  code: TroubleCode;
  reason: string;
  /** By terminal: users whose change is there only. */
  readonly waiting: Map<string, Set<number>>;
  /** Terminals, and users at terminals, of which `db.save.failed` tells. */
  readonly told: Set<string>;
  /** Events that there was no room for. */
  dropped: number;
  tries: number;
  nextTry: number;
}

/** The code, when it is the database that cannot. */
export function troubleOf(error: unknown): TroubleCode | undefined {
  const code: ErrorCode | undefined = codeOf(error);
  return TROUBLES.find((one) => one === code);
}

/**
 * Knows whether the database takes what is to be stored. While it does not, its events wait beside it, and it is tried
 * again and again, ever more seldom; when it does, all who wait are woken. What is read from terminals is kept by them
 * alone meanwhile.
 */
export class Trouble {
  readonly #parts: Parts;
  #episode: Episode | undefined;
  #cancel: Cancel = () => undefined;
  #trying = false;
  /** The database took something; it is over unless that was chance. */
  #mending = false;
  #stopped = false;
  readonly #resumed = new Set<() => void>();
  readonly #unwatch: () => void;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#unwatch = parts.store.spill.watch((error) => {
      this.#note(error);
    });
  }

  get current(): DatabaseTrouble | undefined {
    const it = this.#episode;
    if (it === undefined) return undefined;
    const { code, reason, since, nextTry } = it;
    return { code, reason, since, nextTry, waiting: countOf(it.waiting) };
  }

  /** Calls `resume` whenever the database can be written again. */
  onResume(resume: () => void): void {
    this.#resumed.add(resume);
  }

  /** Stores what waits since the last time that the gateway ran. @throws WhorlError STORE_* */
  async start(): Promise<void> {
    const { store, hub, clock, log } = this.#parts;
    const left = await store.spill.waiting();
    if (left.length === 0) return;
    const failures = left.filter((event) => event.type === 'db.save.failed');
    const [first] = failures;
    const over: NewEvent[] =
      first === undefined
        ? []
        : [recovered(clock.wallTime(), first.time, 0, `${first.source ?? ''}/recovered`)];
    hub.publish(await store.spill.drain(clock.wallTime(), over));
    log.warn(
      { events: left.length },
      `the database takes again what it could not: ${counted(left.length, 'event')}`,
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#unwatch();
    this.#cancel();
  }

  /**
   * Stores what a terminal holds. When the database cannot, `db.save.failed` tells of it, once for each user.
   * @throws what `work` throws
   */
  async saving<T>(what: Unsaved, work: () => Promise<T>): Promise<T> {
    try {
      const value = await work();
      const waiting = this.#episode?.waiting.get(what.terminal);
      for (const user of what.users) waiting?.delete(user);
      return value;
    } catch (error) {
      this.failed(error, what);
      throw error;
    }
  }

  /** @returns whether it was the database; then it is told, once for each user */
  failed(error: unknown, { terminal, users }: Unsaved): boolean {
    if (troubleOf(error) === undefined) return false;
    this.#note(error);
    const it = this.#episode;
    if (it === undefined) return true;
    const waiting = it.waiting.get(terminal) ?? new Set();
    it.waiting.set(terminal, waiting);
    for (const user of users) if (countOf(it.waiting) < MOST_WAITING) waiting.add(user);
    if (users.length > 0) this.#raise(it, ...users.map((user) => ({ terminal, user })));
    else if (waiting.size === 0) this.#raise(it, { terminal });
    return true;
  }

  /** Keeps events that the database did not take. Never throws: what cannot be kept is counted. */
  async keep(events: readonly NewEvent[]): Promise<void> {
    const dropped = await this.#parts.store.spill.keep(events).catch(() => events.length);
    if (this.#episode !== undefined) this.#episode.dropped += dropped;
  }

  /** How long to wait after so many failures, milliseconds: not all at the same moment. */
  pauseMs(failures: number): number {
    const most = Math.min(FIRST_MS * 2 ** (failures - 1), LAST_MS);
    return Math.round(most / 2 + this.#parts.random.below(most / 2));
  }

  #note(error: unknown): void {
    const code = troubleOf(error);
    if (code === undefined || this.#stopped) return;
    const { clock, log, hub } = this.#parts;
    const reason = textOf(error);
    if (this.#episode === undefined) {
      this.#episode = {
        ...{ since: clock.wallTime(), code, reason, tries: 0, dropped: 0, nextTry: 0 },
        ...{ waiting: new Map(), told: new Set() },
      };
      log.error(
        { code },
        `the database cannot be written: ${describe(error)}. What is enrolled stays at the terminals; it is tried again`,
      );
      this.#later(this.#episode);
      hub.turn();
      return;
    }
    const it = this.#episode;
    if (it.code !== code) log.error({ code }, `the database cannot be written: ${describe(error)}`);
    Object.assign(it, { code, reason });
    if (!this.#mending) return;
    this.#mending = false;
    this.#cancel();
    this.#later(it);
  }

  /** Once for each in an episode. */
  #raise(it: Episode, ...about: readonly About[]): void {
    const { code, reason } = it;
    const time = this.#parts.clock.wallTime();
    const fresh = about.filter(({ terminal, user }) => {
      const key = JSON.stringify([terminal, user]);
      if (it.told.has(key) || it.told.size >= MOST_WAITING) return false;
      it.told.add(key);
      return true;
    });
    if (fresh.length > 0)
      void this.keep(fresh.map((one) => ({ type: 'db.save.failed', time, ...one, data: { code, reason } })));
  }

  #later(it: Episode): void {
    if (this.#stopped || this.#trying) return;
    it.tries += 1;
    const pause = this.pauseMs(it.tries);
    it.nextTry = this.#parts.clock.wallTime() + pause;
    this.#cancel = this.#parts.clock.after(pause, () => void this.#try(it));
  }

  async #try(it: Episode): Promise<void> {
    const { store, hub, clock } = this.#parts;
    // What failed came from no terminal: somebody at the API was told, and this is all that stays of it.
    if (it.told.size === 0) this.#raise(it, {});
    this.#trying = true;
    try {
      const stored = await store.spill.drain(clock.wallTime());
      this.#trying = false;
      if (this.#stopped) return;
      this.#mending = true;
      this.#cancel = clock.after(QUIET_MS, () => void this.#end(it));
      hub.publish(stored);
      for (const resume of this.#resumed) resume();
    } catch (error) {
      this.#trying = false;
      this.#note(error);
      this.#later(it);
    }
  }

  async #end(it: Episode): Promise<void> {
    const { store, hub, clock, log } = this.#parts;
    const over = recovered(clock.wallTime(), it.since, it.dropped);
    try {
      hub.publish(await store.addEvents([over]));
      if (!this.#mending) return;
      this.#mending = false;
      this.#episode = undefined;
      log.warn({ since: it.since }, 'the database can be written again; what waited was stored');
      hub.turn();
    } catch (error) {
      this.#note(error);
    }
  }
}

function recovered(time: number, since: number, dropped: number, source?: string): NewEvent {
  const event: NewEvent = { type: 'db.save.recovered', time, data: { since, dropped } };
  return source === undefined ? event : { ...event, source };
}

function countOf(waiting: ReadonlyMap<string, ReadonlySet<number>>): number {
  return [...waiting.values()].reduce((sum, users) => sum + users.size, 0);
}
