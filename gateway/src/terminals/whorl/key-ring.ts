/** The pairing keys of terminals, by serial number. */
export interface KeyRing {
  /** 32 bytes; `undefined` for a terminal that is not paired. */
  keyOf(serial: string): Uint8Array | undefined;
}
