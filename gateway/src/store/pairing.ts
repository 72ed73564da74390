/** What a terminal and this gateway share. */
export interface Pairing {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** The name under which it was paired: it is accepted under no other. */
  readonly terminal: string;
}
