import type { UserRecord } from '@whorl/protocol';

/** A user who was deleted, or erased, at the gateway. */
export interface Tombstone {
  readonly user: number;
  /** Milliseconds UTC. */
  readonly time: number;
  /** The account, or who else did it. */
  readonly by: string;
  readonly how: 'deleted' | 'erased';
  /** Whether the person is known by more than the number. */
  readonly sure: boolean;
}

/**
 * Who was deleted here, so that a terminal that went back to an older state does not bring them back. Of a person only
 * the number is kept, and of name and credentials a few bytes of a hash keyed by the gateway: enough to tell them from
 * somebody else who has the number later, and nothing without the master key. Kept for {@link TOMBSTONE_DAYS} days, the
 * newest {@link MOST_TOMBSTONES} of them.
 */
export interface TombstoneStore {
  /** The newest of each of these numbers that has one. @throws WhorlError STORE_* */
  of(users: readonly number[]): Promise<ReadonlyMap<number, Tombstone>>;
  /**
   * That of the person whom a record is of; of somebody of whom nothing could be kept, that of their number.
   * @throws WhorlError STORE_*, VAULT_SEALED
   */
  whose(record: UserRecord): Promise<Tombstone | undefined>;
}

/** A terminal that was in a drawer for a year still brings nobody back. */
export const TOMBSTONE_DAYS = 400;
export const MOST_TOMBSTONES = 200_000;
