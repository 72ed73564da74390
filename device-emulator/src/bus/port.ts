/** One end of a wire: bytes in, bytes out. */
export interface Port {
  /** Called for every piece of bytes that arrives. Set once by the owner. */
  onBytes(listener: (bytes: Uint8Array) => void): void;
  /** Called once when the far end or the wire has gone, with the reason in words. */
  onClosed(listener: (reason: string) => void): void;
  /** Queues bytes; order is kept. Bytes to a closed port are dropped, as on a pulled cable. */
  write(bytes: Uint8Array): void;
  close(): Promise<void>;
}
