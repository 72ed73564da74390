import { MASTER_ID, MOST_SITES } from '../settings/sites.ts';
import type { Bucket } from '../settings/bucket.ts';
import type { Admission } from './admission.ts';
import type { Channel } from './channel.ts';
import type { Machine } from './login-words.ts';
import type { Summary } from './requests.ts';
import type { Walked } from './serving.ts';

/** How a site stands, as its master sees it. */
export interface SiteState {
  readonly online: boolean;
  /** Of the last exchange that ended well, milliseconds UTC. */
  readonly success?: number;
  /** How long it took, milliseconds. */
  readonly tookMs?: number;
  readonly version?: string;
  /** How much its clock is ahead, when that is more than a minute. */
  readonly apartMs?: number;
  readonly summary?: Summary;
  /** Why the last login or exchange failed. */
  readonly trouble?: { readonly code: string; readonly text: string; readonly time: number };
}

/** A login that counts, and what was asked in it. */
export interface Session {
  readonly channel: Channel;
  readonly machine: Machine;
  /** When something was said in it last. */
  heard: number;
  /** That the satellite is known to have: it logged in with it, or said since that it keeps it. */
  token: Uint8Array | undefined;
  /** Of the request that was taken last. */
  last: number;
  /** Its answer, once there is one. */
  answer: Uint8Array | undefined;
  working: boolean;
  began: number;
  /** Pages of a walk that it has not said yet that it has stored. */
  readonly walked: Walked[];
}

/** Where a satellite sits at its master, whether it is there or not. */
export interface Seat {
  readonly admission: Admission;
  /** Logins, and what belongs to no session: so many at once, and so many a second. */
  readonly knocks: Bucket;
  /** In force. */
  session: Session | undefined;
  /** Logged in, and not heard of since. */
  fresh: Session | undefined;
  state: SiteState;
  /** When it was last known to be there, by the broker or by itself. */
  seen: number;
  /** Silent since, and without a session: it was told so. */
  knocked: boolean;
  /** A step of a login that is not answered before it is known whether the site is at work elsewhere. */
  weighed: Uint8Array | undefined;
  /** What was told as an event last, so that it is told once. */
  told: string;
  /** Who tried last without being let in. */
  stranger: Knock | undefined;
}

/** A login that was refused. Nothing of it is proven. */
export interface Knock extends Knocker {
  readonly code: string;
  /** Milliseconds UTC. */
  readonly time: number;
  readonly tries: number;
}

/** What somebody says who wants to be let in, and from where. */
export interface Knocker {
  readonly user?: string;
  readonly from?: string;
}

/** Whoever is at the broker may say to be anything. */
export function isSyncId(syncId: number): boolean {
  return Number.isInteger(syncId) && syncId > MASTER_ID && syncId <= MOST_SITES;
}
