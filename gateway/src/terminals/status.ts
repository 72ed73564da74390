import type { Doubt } from '../events/catalogue.ts';
import type { PeerCounters } from '../lines/status.ts';

export interface TerminalStatus {
  readonly name: string;
  readonly line: string;
  readonly address: number;
  readonly groups: readonly number[];
  /** `quarantined`: it answers, has not proven who it is, and gets nothing. */
  readonly state: 'online' | 'offline' | 'quarantined';
  /** Why it is not online. */
  readonly reason?: string;
  readonly serial?: string;
  readonly model?: string;
  readonly firmware?: string;
  /** Why it is not known what it holds, until it has been compared. */
  readonly unknown?: Doubt;
  /** Users it holds, as it said last: with its logs, and whenever users were put or removed. */
  readonly users?: number;
  readonly capacity?: number;
  /** How far its clock was off when it was looked at last, milliseconds; positive is ahead. */
  readonly clockOffMs?: number;
  /** Last answer, milliseconds UTC. */
  readonly lastSeen?: number;
  /** Round trip of an exchange with it, milliseconds, lately. */
  readonly roundTripMs?: number;
  readonly counters: PeerCounters;
}
