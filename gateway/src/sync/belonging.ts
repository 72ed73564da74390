import { groupsOf, inScope } from './scope.ts';
import type { Site } from './site.ts';

/** Whether a user is one who belongs on a terminal by itself, as settings and access groups are now. */
export async function belongsAt(site: Site, terminal: string, user: number): Promise<boolean> {
  const place = site.places.find((one) => one.terminal === terminal);
  const held = await site.store.user(user);
  return (
    place !== undefined && held !== undefined && inScope(site.settings.autoSync, groupsOf(held.record), place)
  );
}

/** Of some users those who belong on a terminal. */
export async function belongingAt(
  site: Site,
  terminal: string,
  users: readonly number[],
): Promise<ReadonlySet<number>> {
  const belonging = new Set<number>();
  for (const user of users) if (await belongsAt(site, terminal, user)) belonging.add(user);
  return belonging;
}
