import type { StoredEvent } from '../events/catalogue.ts';

/** A backup that was made, and read back. */
export interface BackupReport {
  readonly file: string;
  readonly bytes: number;
  readonly users: number;
}

/** A terminal that is to lose a user, and the version of the user that this makes. */
export interface Loss {
  readonly terminal: string;
  readonly version: number;
}

/** A user who was erased. */
export interface Erased {
  /** Ids of the data keys that were destroyed, in hexadecimal. */
  readonly keys: readonly string[];
  /** Files and directories in which their keys could not be destroyed. */
  readonly unreached: readonly string[];
  readonly events: readonly StoredEvent[];
}

/** Copies of the database, and that nobody is left in them who shall not be. */
export interface BackupStore {
  /**
   * Copies everything as it is at one moment into a file while work goes on, and reads it back: only then is it there
   * under its name. It holds no template, PIN, photo, name or pairing key in clear, and no data key. Those go to a file
   * beside it, of which there is one for all backups in a directory; without it, or without the master key, a backup
   * tells nothing of people but ids and times.
   * @param file absolute path; must not be there yet
   * @throws WhorlError BACKUP_EXISTS, BACKUP_BAD, STORE_*
   */
  make(file: string): Promise<BackupReport>;
  /**
   * Copies the tables as they are at one moment into an SQLite file, while work goes on: data keys stand in it, wrapped
   * under the master key as in the database itself.
   * @param file absolute path; must not be there yet
   * @throws WhorlError BACKUP_EXISTS, STORE_*
   */
  copy(file: string): Promise<void>;
  /**
   * Destroys all that is held of a user, and the data keys of what backups hold of them. Until these terminals
   * have lost the user, nothing that they tell of the user is taken.
   * @param by who did it; remembered, see TombstoneStore
   * @param time milliseconds UTC
   * @throws WhorlError USER_UNKNOWN when nothing of them is known, STORE_*
   */
  erase(user: number, losses: readonly Loss[], time: number, by?: string): Promise<Erased>;
}
