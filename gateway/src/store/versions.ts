/** What is read of very many users at once: no more than that. */
export interface VersionStore {
  /** Versions that users have now; those that are not there are left out. @throws WhorlError STORE_* */
  of(users: readonly number[]): Promise<ReadonlyMap<number, number>>;
}
