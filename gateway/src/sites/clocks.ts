import type { SitesGround } from './ground.ts';

/** Clocks that are further apart than this make the order of changes at several sites wrong. */
export const CLOCK_MS = 60_000;

const UNITS = [
  { name: 'years', ms: 365 * 86_400_000 },
  { name: 'days', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
] as const;

/** How far another clock is from one's own, in words. @param apartMs how much it is ahead */
export function apartText(apartMs: number): string {
  const apart = Math.abs(apartMs);
  const unit = UNITS.find(({ ms }) => apart >= 2 * ms);
  const seconds = apart / 1000;
  const long =
    unit === undefined
      ? `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
      : `${Math.round(apart / unit.ms)} ${unit.name}`;
  return `${long} ${apartMs < 0 ? 'behind' : 'ahead of'} this one`;
}

/**
 * Looks at the clock of another gateway with each exchange: tells of a wrong one once, until it is right again.
 * @param before what this said last
 * @returns how much it is ahead, milliseconds; `undefined` while both go alike
 * @throws WhorlError STORE_*
 */
export async function compareClocks(
  { site }: Pick<SitesGround, 'site'>,
  name: string,
  { apartMs, before }: { readonly apartMs: number; readonly before: number | undefined },
): Promise<number | undefined> {
  if (Math.abs(apartMs) <= CLOCK_MS) return undefined;
  if (before === undefined) {
    site.log.warn({ site: name, code: 'SITES_CLOCK' }, `the clock of ${name} is ${apartText(apartMs)}`);
    const seconds = Math.round(apartMs / 1000);
    await site.tell({ type: 'site.clock.wrong', time: site.now, data: { site: name, seconds } });
  }
  return Math.round(apartMs);
}
