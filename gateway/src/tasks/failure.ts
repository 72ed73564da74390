/** What ends a sync session, as the operator reads it at the terminal. */
export class SyncFailure extends Error {
  override readonly name = 'SyncFailure';
}

/** Somebody cancelled a sync session. */
export class SyncCancelled extends Error {
  override readonly name = 'SyncCancelled';
  /** `operator`, or who did it at the gateway. */
  readonly by: string;

  constructor(by: string) {
    super(by === 'operator' ? 'Cancelled at the terminal.' : 'Cancelled at the gateway.');
    this.by = by;
  }
}
