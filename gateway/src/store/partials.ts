/** What has arrived of users that are being fetched, one a terminal: a restarted gateway goes on with it. */
export interface PartialStore {
  /** @returns `undefined` when nothing is kept. @throws WhorlError VAULT_SEALED, STORE_* */
  get(terminal: string): Promise<Uint8Array | undefined>;
  /** @param bytes `undefined` forgets it */
  put(terminal: string, bytes: Uint8Array | undefined): Promise<void>;
}
