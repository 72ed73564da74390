/** Ends a timer before it fires; harmless afterwards. */
export type Cancel = () => void;

/**
 * The only way to know or wait for time. Whoever needs time is handed one, so that a simulated day can pass in
 * minutes and repeat exactly.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start, fractional, never going backwards: for durations and deadlines. */
  now(): number;
  /** Milliseconds since 1970 UTC, integer: for time stamps that people read. */
  wallTime(): number;
  /** Calls `fire` once, `delayMs` from now (at once when zero or less), unless cancelled. */
  after(delayMs: number, fire: () => void): Cancel;
}
