import type { Erased } from '../store/backup.ts';
import type { Site } from './site.ts';

/**
 * Erases a user: here and from what backups hold at once, at every terminal as soon as it answers; one that has nothing
 * of them says so.
 * @throws WhorlError USER_UNKNOWN, STORE_*
 */
export async function eraseUser(
  site: Site,
  user: number,
  by: string,
): Promise<Pick<Erased, 'keys' | 'unreached'>> {
  const [held, rows] = [await site.store.user(user), await site.store.ledgerOf([user])];
  const version = Math.max(held?.version ?? 0, ...rows.map((row) => row.version)) + 1;
  const names = [...site.places, ...rows].map(({ terminal }) => terminal);
  const losses = [...new Set(names)].map((terminal) => ({ terminal, version }));
  const { events, keys, unreached } = await site.store.backups.erase(user, losses, site.now, by);
  site.publish(events);
  site.wake();
  return { keys, unreached };
}
