/** The terminal's own clock: what it showed at a true time, and how much faster it runs since. */
export interface ClockSetting {
  /** What the clock showed, milliseconds UTC, */
  readonly shown: number;
  /** at this true time, milliseconds UTC. */
  readonly at: number;
  /** Millionths by which it is fast; negative when slow. */
  readonly ppm: number;
}

export const TRUE_CLOCK: ClockSetting = { shown: 0, at: 0, ppm: 0 };

/** What the clock shows at a true time; both whole milliseconds UTC. */
export function shownAt(clock: ClockSetting, at: number): number {
  const since = at - clock.at;
  return Math.max(0, Math.floor(clock.shown + since + (since * clock.ppm) / 1_000_000));
}
