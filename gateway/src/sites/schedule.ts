import type { SiteSyncSettings } from '../settings/sites.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
/** After failures, so that a master that is back is not overrun, and one that is away not knocked at all day. */
const RETRIES_MS = [5_000, 15_000, 60_000, 120_000];
const LAST_RETRY_MS = 300_000;
/** Changes that come one after the other go together. */
const GATHER_MS = 200;

/** What decides when the next exchange begins. All times of the same clock, milliseconds. */
export interface Plan {
  readonly settings: SiteSyncSettings;
  /** When the last exchange ended; absent before the first. */
  readonly ended?: number | undefined;
  /** Exchanges that failed since one did not. */
  readonly failures: number;
  /** Since when somebody wants one now. */
  readonly asked?: number | undefined;
  /** Since when there is something to exchange. */
  readonly news?: number | undefined;
  readonly now: number;
  /** Of the day, by the clock on the wall. */
  readonly minute: number;
}

/**
 * When the next exchange begins, `undefined` for not by itself. What somebody asks for is done at once, whatever the
 * interval, the quiet hours or earlier failures.
 */
export function nextExchange(plan: Plan): number | undefined {
  const { settings, asked, now } = plan;
  if (asked !== undefined) return asked;
  if (settings.intervalMinutes === 0) return undefined;
  const wanted = wantedAt(plan);
  const from = Math.max(wanted, now);
  const minutes = Math.floor((from - now) / MINUTE_MS);
  const quiet = quietFor(settings, (plan.minute + minutes) % DAY_MINUTES);
  return quiet > 0 ? now + (minutes + quiet) * MINUTE_MS : wanted;
}

/** How long to wait for an exchange before it is looked again: the clock on the wall may be set at any time. */
export function untilLook({ quiet }: Pick<SiteSyncSettings, 'quiet'>, waitMs: number): number {
  return quiet.length === 0 ? waitMs : Math.min(waitMs, MINUTE_MS);
}

/** Without quiet hours. */
function wantedAt({ settings, ended, failures, news, now }: Plan): number {
  const { intervalMinutes, continuous } = settings;
  if (ended === undefined) return now;
  const regular = ended + intervalMinutes * MINUTE_MS;
  if (failures > 0) return Math.min(regular, ended + (RETRIES_MS[failures - 1] ?? LAST_RETRY_MS));
  return continuous && news !== undefined ? Math.min(regular, news + GATHER_MS) : regular;
}

/** Minutes until the quiet hours end; 0 when it is none of them. */
export function quietFor({ quiet }: Pick<SiteSyncSettings, 'quiet'>, minute: number): number {
  for (const { from, to } of quiet) {
    const [begin, end] = [minuteOf(from), minuteOf(to)];
    const length = (end - begin + DAY_MINUTES) % DAY_MINUTES;
    const since = (minute - begin + DAY_MINUTES) % DAY_MINUTES;
    if (since < length) return length - since;
  }
  return 0;
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
