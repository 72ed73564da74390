import type { Body, GroupEnd } from '@whorl/protocol';
import type { Peer } from '../../lines/peer.ts';

/**
 * A silent terminal is tried again with back-off, so that it does not cost its neighbours their turns; one that is back is
 * greeted within two seconds.
 */
export const FIRST_GREETING_MS = 250;
export const LAST_GREETING_MS = 1_900;

/** One terminal in the round. */
export interface Member {
  readonly name: string;
  readonly peer: Peer;
  /** Greeted and answering. */
  isOnline(): boolean;
  greeted(welcome: Body<'welcome'>, attention: boolean): void;
  /** It is here, and has a new session. Whether it started anew just before cannot be told: its log is looked at. */
  renewed(welcome: Body<'welcome'>): void;
  /** It answers, and gets nothing: it has not proven who it is. */
  quarantined(serial: string, reason: string): void;
  /** It gave a sign of life. */
  alive(attention: boolean): void;
  /** It may have logs; nobody has proven it. */
  raised(): void;
  /** It does not answer any more, or forgot the session. */
  lost(reason: string): void;
}

/** Where a terminal stands in the round. */
export interface Seat {
  readonly member: Member;
  /** When it is greeted or polled next. On a shared line those are polled whose answer to a roll call was not heard. */
  due: number;
  /** When its session was opened. */
  opened: number;
  /** The broadcasts that it can hear. */
  group: GroupEnd | undefined;
  /** Its firmware knows no broadcasts: it is polled, and everything is said to it alone. */
  alone: boolean;
  /** Polls in a row that were not answered. */
  silent: number;
  /** Its answer to the last roll call was not heard. */
  missed: boolean;
  /** What the line had heard of noise when this one was greeted last. */
  noise: number;
  retryMs: number;
  /** Greeted since the line was opened, with whatever came of it. */
  visited: boolean;
}

/** One that has not been greeted yet. */
export function seatOf(member: Member): Seat {
  return {
    member,
    due: 0,
    opened: 0,
    group: undefined,
    alone: false,
    silent: 0,
    missed: false,
    noise: 0,
    retryMs: FIRST_GREETING_MS,
    visited: false,
  };
}
