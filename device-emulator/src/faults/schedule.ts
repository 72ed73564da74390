import { describe } from '@whorl/protocol';
import type { Cancel, Clock } from '@whorl/protocol';
import type { Faults, Target, Wish } from './faults.ts';

/** A fault that comes by itself; all times in milliseconds. */
export interface Planned extends Wish {
  readonly target: Target;
  /** After the start. */
  readonly atMs: number;
  /** From one beginning to the next; once only when not given. */
  readonly everyMs?: number | undefined;
}

/**
 * Lets faults come as planned.
 * @param log told, in one line, of what could not be begun
 * @returns what ends it; faults that go on do so
 */
export function runSchedule(
  plan: readonly Planned[],
  { faults, clock, log }: { faults: Faults; clock: Clock; log: (line: string) => void },
): Cancel {
  const timers = new Map<Planned, Cancel>();
  const arm = (planned: Planned, inMs: number): void => {
    const begin = (): void => {
      timers.delete(planned);
      faults.begin(planned.target, planned).catch((error: unknown) => {
        log(`${planned.target.on}: ${planned.fault} could not be begun: ${describe(error)}`);
      });
      if (planned.everyMs !== undefined) arm(planned, planned.everyMs);
    };
    timers.set(planned, clock.after(inMs, begin));
  };
  for (const planned of plan) arm(planned, planned.atMs);
  return () => {
    for (const cancel of timers.values()) cancel();
    timers.clear();
  };
}
