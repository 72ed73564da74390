/** One open connection to a line, whatever it runs over. */
export interface Transport {
  /**
   * Hands bytes to the wire; order is kept.
   * @param written called when the operating system has taken them; never after the transport has closed
   */
  write(bytes: Uint8Array, written: () => void): void;
  /**
   * What was received since the last delimiter is no frame, and nothing of what comes next belongs to it.
   * @returns whether there was anything
   */
  cut(): boolean;
  /** Bytes that come in go to `listener` and are no frames, until what is answered is called. */
  lend(listener: (bytes: Uint8Array) => void): () => void;
  /** Ends the connection; harmless when it has ended. */
  close(): void;
}

/** What a transport tells its owner. */
export interface TransportEvents {
  /** What stood between two delimiters, not empty. The array is the owner's to keep. */
  readonly frame: (stuffed: Uint8Array) => void;
  /** Bytes came in, in all. */
  readonly received: (bytes: number) => void;
  /** Bytes were dropped because no delimiter came among them. */
  readonly discarded: (bytes: number) => void;
  /** The connection has gone; called once, with the reason in words. Nothing is called after it. */
  readonly closed: (reason: string) => void;
}

/**
 * Opens a connection.
 * @throws WhorlError LINE_OPEN with the reason in words; ABORTED when `signal` aborts
 */
export type OpenTransport = (events: TransportEvents, signal: AbortSignal) => Promise<Transport>;
