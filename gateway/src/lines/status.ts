/** What happened on a line since the gateway started. */
export interface LineCounters {
  /** Frames that were sound and expected. */
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Frames that were damaged: by checksum, stuffing or version. */
  framesBad: number;
  /** Sound frames that nobody waited for: late, doubled, or from an address that was not asked. */
  framesStray: number;
  /** Bytes that belonged to no sound frame. */
  bytesDiscarded: number;
  exchanges: number;
  /** Requests sent again because no answer came. */
  retries: number;
  /** Exchanges given up. */
  timeouts: number;
  /** Times that the line was opened. */
  opened: number;
}

/** What happened with one terminal of a line since the gateway started. */
export interface PeerCounters {
  /** Answers that were sound. */
  framesIn: number;
  /** Damaged ones while this terminal had the word. */
  framesBad: number;
  exchanges: number;
  /** Requests sent again because no answer came. */
  retries: number;
  /** Exchanges given up. */
  timeouts: number;
}

export interface LineStatus {
  readonly name: string;
  /** What it runs over, in words: `serial /dev/ttyUSB0 at 115200 baud`. */
  readonly over: string;
  readonly state: 'opening' | 'open' | 'closed';
  /** Why it is not open. */
  readonly reason?: string;
  /** When it is tried again, milliseconds UTC. */
  readonly nextTry?: number;
  readonly counters: Readonly<LineCounters>;
  /** Share of the time since it was opened in which bytes were on their way, 0 to 1; absent without byte times. */
  readonly duty?: number;
  /** Round trip of an exchange, milliseconds, lately; absent before the first. */
  readonly roundTripMs?: number;
  /** Jobs that wait for the line. */
  readonly waiting: number;
}
