/** What a terminal has heard since it started. */
export interface LinkCounters {
  /** Requests for this terminal, repetitions and broadcasts included. */
  requests: number;
  /** Requests that were answered from memory, because they came again. */
  repeated: number;
  refused: number;
  /** Damaged frames, and those that nobody with the session's keys made. */
  bad: number;
  /** Sound frames that were heard before, or come behind newer ones, and are no repetition of what was answered last. */
  replayed: number;
  /** Frames for others, or from other terminals. */
  foreign: number;
  /** Frames of objects that were said to all. */
  broadcasts: number;
  /** Sessions that were begun. */
  sessions: number;
}
