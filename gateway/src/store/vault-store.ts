import type { StoredEvent } from '../events/catalogue.ts';

/** A master key, without anything of the key. */
export interface MasterView {
  /** Counts up with each change. */
  readonly number: number;
  readonly kind: 'credential' | 'variable' | 'file' | 'memory';
  /** Path, or name of the variable; empty in memory. */
  readonly place: string;
  /** Since when it is in use, milliseconds UTC; absent for the first. */
  readonly since?: number;
  /** Data keys that are sealed under it. */
  readonly keys: number;
  /** Whether it lies where the next one is given, and is to be put where the present one belongs. */
  readonly toMove: boolean;
}

/** How the master key stands. */
export interface VaultStatus {
  readonly master: MasterView;
  /** The one that it is being changed for. */
  readonly next?: MasterView;
  /** Files of former master keys that are kept because of `unreached`. */
  readonly former: readonly string[];
  /** People are being given new data keys. */
  readonly renewing?: Renewing;
  /** Directories and databases put aside that still need a former master key: they could not be written. */
  readonly unreached: readonly string[];
}

/** How far it is to give people new data keys. */
export interface Renewing {
  /** Users, and people held apart in conflicts, who have a new one. */
  readonly done: number;
  readonly left: number;
}

/** Some of it. */
export interface Renewed {
  /** 0 when nothing was left. */
  readonly count: number;
  readonly events: readonly StoredEvent[];
}

/** A change of the master key that is over. */
export interface Rotated {
  readonly status: VaultStatus;
  readonly events: readonly StoredEvent[];
}

/**
 * Changing the master key while work goes on: begin, reseal until nothing is left, finish. It can end anywhere, also with
 * the process; until it is finished both keys are needed, and it goes on from where it was.
 */
export interface VaultStore {
  status(): Promise<VaultStatus>;
  /**
   * Takes a next master key into use, unless one is already.
   * @param time milliseconds UTC
   * @throws WhorlError VAULT_NEXT_KEY, VAULT_KEY_*, STORE_*
   */
  begin(time: number): Promise<VaultStatus>;
  /** Reseals some data keys, in one transaction. @returns how many; 0 when nothing is left. @throws WhorlError STORE_* */
  reseal(): Promise<number>;
  /**
   * Ends the use of the old master key, brings what stands beside backups and in databases put aside under the new one,
   * and removes the old one's file unless something of that failed. Does nothing while anything is sealed under the old one.
   * @param time milliseconds UTC
   * @throws WhorlError STORE_*
   */
  finish(time: number): Promise<Rotated>;
  /**
   * Begins to seal all people anew under data keys made for that, unless that is under way. A data key of before goes
   * unless a backup may need it.
   * @throws WhorlError STORE_*
   */
  beginRenewal(): Promise<VaultStatus>;
  /**
   * Seals some people anew, in one transaction.
   * @param from how many are sealed anew already: with another number it was done before, and nothing is done
   * @param time milliseconds UTC
   * @throws WhorlError STORE_*, VAULT_SEALED
   */
  renew(from: number, time: number): Promise<Renewed>;
}
