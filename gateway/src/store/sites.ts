/** What this gateway is among others. */
export type SiteRole = 'standalone' | 'master' | 'satellite';

/** A machine that has logged in as a site. */
export interface SiteBinding {
  /** Its identity, made once; hexadecimal. */
  readonly hardware: string;
  /** What the machine is called, for people. */
  readonly host: string;
  /** Of the first login, milliseconds UTC. */
  readonly since: number;
  /** What its next login proves; absent until it has confirmed one. */
  readonly token?: Uint8Array;
  /** Offered, and not confirmed yet: after a cut either may come. */
  readonly next?: Uint8Array;
  /** Names of tokens that were taken the place of, oldest first: whoever still uses one is a copy. */
  readonly spent: readonly string[];
}

/** A satellite as its master knows it. */
export interface SiteRow {
  /** 2 to {@link MOST_SITES}. */
  readonly syncId: number;
  /** Of its gateway. */
  readonly name: string;
  /** Where its own API is, for people. */
  readonly url: string;
  /** That it logs in with. */
  readonly user: string;
  /** argon2id of its password: whoever has it can log in. */
  readonly verifier: Uint8Array;
  /** Access groups that reach it; every user belongs there when absent. */
  readonly groups?: readonly number[];
  readonly binding?: SiteBinding;
}

/** A stretch of a database's history. One that was restored from a backup goes on with another id than it had. */
export interface Run {
  readonly id: string;
  /** The last change and the last event before it. */
  readonly seq: number;
  readonly event: number;
  /** The last change of who is held, before it. */
  readonly holding: number;
}

/**
 * What is exchanged, each with a log of its own: users in the order of their changes, events in that of their ids, and
 * who is held by which terminal in the order of the changes.
 */
export type Stream = 'users' | 'events' | 'holdings';

/**
 * What a gateway keeps a place of. walk: all users of the master, newest first, as far as that has come; its run names
 * the scope that it is for. check: which users the master still has, after it or the site was restored or reset.
 * offered: as far as a satellite has settled what it offered of its own users.
 */
export type Progress = Stream | 'walk' | 'check' | 'offered';

/** All up to `seq` of a log is done; `run` tells in which history. */
export interface Cursor {
  readonly run: string;
  readonly seq: number;
}

/** A user changed; only the last change of each is in the log. */
export interface Change {
  readonly seq: number;
  readonly user: number;
}

/** Any that a master has is older than this. */
export const LOST_VERSION = Number.MAX_SAFE_INTEGER;

/** What a satellite has got of a user from the master. */
export interface SiteBase {
  /**
   * Version at the master; 0 for a user that the master does not know of, {@link LOST_VERSION} for one that it has lost
   * since.
   */
  readonly version: number;
  /** Names the change at the master that made this user; empty when it is not known. With another one it is another person. */
  readonly born: string;
  /** Names the change at the master that it came with; empty when it is not known. */
  readonly at: string;
  /** The satellite's own version that this made. */
  readonly local: number;
  /** The satellite's own version that was last offered to the master; what changed since is not. */
  readonly offered: number;
  /** The master holds somebody else under this id until a conflict is decided. */
  readonly apart: boolean;
  /** Digests of the fields, by number. */
  readonly fields: ReadonlyMap<number, Uint8Array>;
}

/** An event of a satellite, in its master's copy. */
export interface SiteEvent {
  readonly site: number;
  /** The satellite's history that it belongs to: ids of another one may be the same. */
  readonly run: string;
  /** Of the site that told of it; another one may have its sync id by now. */
  readonly name?: string;
  /** There. */
  readonly id: number;
  readonly time: number;
  readonly type: string;
  readonly line?: string;
  readonly terminal?: string;
  readonly user?: number;
  readonly origin?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A terminal of a satellite holds a user, or does so no more when it was never `checked`. */
export interface HoldingChange {
  readonly seq: number;
  readonly terminal: string;
  readonly user: number;
  /** When its digest was last seen to be right, milliseconds UTC; 0 when that is not known. */
  readonly checked?: number;
}

/** A user whom a terminal holds. */
export interface HoldingRow {
  readonly terminal: string;
  readonly user: number;
  readonly checked: number;
  /** Absent for one whom this gateway does not know any more. */
  readonly name?: string;
}

/** An event in a report; `site` and `run` are those of a satellite's. */
export interface ReportRow {
  readonly site?: number;
  readonly run?: string;
  /** Of the site that told of it; another one may have its sync id by now. */
  readonly teller?: string;
  readonly id: number;
  readonly time: number;
  readonly terminal?: string;
  readonly user?: number;
  readonly name?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface ReportFilter {
  readonly type: string;
  readonly origin?: 'terminal' | 'gateway' | undefined;
  /** Name of a satellite; all of them when absent. */
  readonly site?: string | undefined;
  /** Milliseconds UTC, inclusive. */
  readonly from?: number | undefined;
  /** Exclusive. */
  readonly until?: number | undefined;
  /** Goes on behind this one. */
  readonly after?: Pick<ReportRow, 'time' | 'site' | 'id' | 'run'> | undefined;
  readonly limit: number;
}

export interface SiteEventFilter {
  readonly site?: number;
  readonly user?: number;
  readonly terminal?: string;
  readonly type?: string;
  /** Milliseconds UTC, inclusive. */
  readonly from?: number;
  /** Exclusive. */
  readonly until?: number;
  /** Goes on behind this one, by descending time. */
  readonly before?: Pick<SiteEvent, 'time' | 'site' | 'id'>;
  readonly limit: number;
}

/** A row that could not be integrated: it waits apart, and the others go on. */
export interface AsideRow {
  /** Sync id of whom it came from. */
  readonly peer: number;
  readonly user: number;
  /** As it came. */
  readonly bytes: Uint8Array;
  readonly code: string;
  readonly reason: string;
  /** Of the first time, milliseconds UTC. */
  readonly since: number;
  readonly attempts: number;
}

/** Which of them, and in which order, ascending. */
export interface AsideFilter {
  readonly by: 'since' | 'attempts' | 'user';
  readonly peer?: number;
  /** Goes on behind this user. */
  readonly after?: number;
  /** A code: those that wait because of it are left out. */
  readonly but?: string | undefined;
  readonly limit: number;
}

/** Somebody whom the master had a satellite drop. */
export interface GoneUser {
  readonly user: number;
  /** Names the change at the master that had made the user, with its proof. */
  readonly born: string;
  /** Of the deletion at the master, milliseconds UTC. */
  readonly time: number;
  /** On request, and not only deleted. */
  readonly erased: boolean;
}

/** What stands beside users and is stored in one transaction with them. */
export type SiteMark =
  | { readonly kind: 'base'; readonly user: number; readonly base: SiteBase | undefined }
  | { readonly kind: 'cursor'; readonly peer: number; readonly stream: Progress; readonly cursor: Cursor }
  | { readonly kind: 'logged'; readonly user: number }
  | { readonly kind: 'aside'; readonly row: Omit<AsideRow, 'attempts'> }
  | { readonly kind: 'settled'; readonly peer: number; readonly user: number }
  | { readonly kind: 'gone'; readonly gone: GoneUser }
  | {
      readonly kind: 'events';
      /** Of the site that tells of them. */
      readonly name: string;
      readonly events: readonly SiteEvent[];
    }
  | {
      readonly kind: 'holdings';
      readonly site: number;
      /** What was told before is not so any more. */
      readonly fresh: boolean;
      readonly rows: readonly Omit<HoldingChange, 'seq'>[];
    };

/** What a gateway remembers of the others. */
export interface SiteStore {
  /**
   * Begins a run. From the first time that a role is given on, changes of users are logged; all who are there first.
   * @param run a fresh random id
   */
  begin(role: SiteRole, run: string): Promise<void>;
  /** Oldest first. */
  runs(): Promise<readonly Run[]>;
  /** Last positions of the logs. */
  heads(): Promise<Readonly<Record<Stream, number>>>;

  sites(): Promise<readonly SiteRow[]>;
  /**
   * Adds a site, or changes it. One that is new has nothing of whoever had its sync id before but their events.
   * @param from as it stands by what is known; absent for one that is new
   * @returns whether it stood so; else nothing was changed
   */
  saveSite(site: SiteRow, from?: SiteRow): Promise<boolean>;
  /** Removes a site with all that is remembered of it but its events. */
  removeSite(syncId: number): Promise<void>;
  /** Forgets, in one step, which machine a site is, its tokens, how far it is, and what it holds. */
  resetSite(syncId: number): Promise<void>;

  /** The log of users after a place, oldest first. */
  changes(after: number, limit: number): Promise<readonly Change[]>;
  /** The log of users before a place, newest first. */
  changesBefore(before: number, limit: number): Promise<readonly Change[]>;
  /** How many users changed after a place and up to another. */
  countChanges(after: number, until: number): Promise<number>;
  /** The position of the change that made each of these users. */
  born(users: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** Those of these users who were erased on request. */
  erased(users: readonly number[]): Promise<readonly number[]>;

  cursor(peer: number, stream: Progress): Promise<Cursor | undefined>;
  /** Stores these together. */
  mark(marks: readonly SiteMark[]): Promise<void>;

  /** Versions that a satellite has, or may have, of these users. */
  held(site: number, users: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** @param versions 0 for a user whom the satellite may have */
  saveHeld(site: number, versions: ReadonlyMap<number, number>): Promise<void>;
  /** It is not known any more what a satellite has. */
  forgetHeld(site: number): Promise<void>;
  /** It may have other versions than those that it got last. */
  doubtHeld(site: number): Promise<void>;
  countHeld(site: number): Promise<number>;

  bases(users: readonly number[]): Promise<ReadonlyMap<number, SiteBase>>;
  /** Satellite: users that came from the master, ascending. */
  baseUsers(after: number, limit: number): Promise<readonly number[]>;

  /** Satellite: whom the master had it drop, by ascending number. */
  gone(after: number, limit: number): Promise<readonly GoneUser[]>;

  aside(filter: AsideFilter): Promise<readonly AsideRow[]>;
  countAside(): Promise<number>;

  /** Newest first. */
  siteEvents(filter: SiteEventFilter): Promise<readonly SiteEvent[]>;

  /** Names of all sites that have told events, those that were removed since among them. */
  tellers(): Promise<readonly string[]>;

  /** Satellite: what changed of who is held by which terminal, after a place. */
  holdingChanges(after: number, limit: number): Promise<readonly HoldingChange[]>;
  /** Events of this gateway for a report, in the order of their ids. */
  ownReport(filter: ReportFilter): Promise<readonly ReportRow[]>;
  /** Those of its satellites, in the order of their times. */
  siteReport(filter: ReportFilter): Promise<readonly ReportRow[]>;
  /** Who is held by terminals of this gateway, by user. @param after goes on behind this one */
  ownHoldings(after: HoldingRow | undefined, limit: number): Promise<readonly HoldingRow[]>;
  /** Who is held by those of a satellite, by terminal. */
  siteHoldings(site: number, after: HoldingRow | undefined, limit: number): Promise<readonly HoldingRow[]>;
}
