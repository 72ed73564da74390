/** A backup that was made, and read back. */
export interface BackupReport {
  readonly file: string;
  readonly bytes: number;
  readonly users: number;
}

/** Copies of the database. */
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
}
