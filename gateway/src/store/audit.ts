import { createHash } from 'node:crypto';

/**
 * One entry of the audit trail: somebody asked for something, or what came of it. Who, place, deed and target are names;
 * never what is secret.
 */
export interface AuditEntry {
  /** Counts up by one. */
  readonly seq: number;
  /** Milliseconds UTC. */
  readonly time: number;
  /** Account; `machine` for the gateway's own machine, `gateway` for itself, `nobody` where no proof was given. */
  readonly who: string;
  /** Address, `local socket` or `mqtt`. */
  readonly place: string;
  /** `users.edit` */
  readonly deed: string;
  /** What it was done to: `user 1042`. */
  readonly target: string;
  /** More of it, as JSON; '' when there is none. */
  readonly detail: string;
  /** `asked` before it is done; then, in an entry of its own, `done` or the code of an error. */
  readonly outcome: string;
  /** The entry that asked; absent in that one itself. */
  readonly of?: number;
}

/** With the hash that ties it to all before it. */
export interface AuditRow extends AuditEntry {
  readonly hash: Uint8Array;
}

/** The newest entry. Kept sealed under the vault, so that entries cannot be cut off at the end. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: Uint8Array;
}

/** An entry that asked, with what came of it. */
export interface AuditDeed extends Omit<AuditEntry, 'of'> {
  /** When it was over, milliseconds UTC; absent when that was not written down: the gateway ended meanwhile. */
  readonly over?: number;
}

export interface AuditFilter {
  /** Entries with higher numbers. */
  readonly after?: number;
  /** The newest instead of the first `limit`; still answered by ascending number. */
  readonly newest?: boolean;
  readonly limit: number;
  readonly who?: string;
  readonly deed?: string;
}

/** Entries are only ever added. Errors as of the whole store. */
export interface AuditStore {
  /**
   * Adds an entry. Where the newest entry is not the one that was sealed, an entry `audit.broken` that says so comes
   * first, and the chain goes on.
   * @returns its number
   */
  append(entry: Omit<AuditEntry, 'seq'>): Promise<number>;
  /** All entries with higher numbers than `after`, by number. */
  rows(after: number, limit: number): Promise<readonly AuditRow[]>;
  deeds(filter: AuditFilter): Promise<readonly AuditDeed[]>;
  /** `missing`: there never was one, or it was removed. `forged`: it was not sealed by this vault. */
  head(): Promise<AuditHead | 'missing' | 'forged'>;
}

/** Of an entry and, through `before`, of all that stand before it: SHA-256. @param before of the entry before; zeros for the first */
export function auditHash(before: Uint8Array, entry: AuditEntry): Uint8Array {
  const { seq, time, who, place, deed, target, detail, outcome, of } = entry;
  const text = JSON.stringify([seq, time, who, place, deed, target, detail, outcome, of ?? 0]);
  return createHash('sha256').update(before).update(text).digest();
}

/** Before the first entry. */
export const AUDIT_BEGIN = new Uint8Array(32);
