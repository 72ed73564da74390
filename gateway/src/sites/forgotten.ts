import { departureKey, isProven } from './departure.ts';
import { eraseUser } from '../sync/erasure.ts';
import type { SiteRow } from '../store/sites.ts';
import type { StoredUser } from '../store/store.ts';
import { changeUser } from '../sync/users.ts';
import type { SitesGround } from './ground.ts';
import type { RequestOf } from './requests.ts';
import { bornOf } from './serving.ts';

/**
 * A master that went back to a backup has people again whom it had deleted since: satellites remember who they were.
 * They are deleted again, unless somebody at the master has changed them since.
 */
export async function forgotten(
  ground: SitesGround,
  { name }: SiteRow,
  { rows }: RequestOf<'gone'>,
): Promise<void> {
  const { site } = ground;
  const born = await bornOf(
    ground,
    rows.map(({ user }) => user),
  );
  const key = await departureKey(ground);
  for (const { user, born: made, time, erased } of rows) {
    const known = born.get(user);
    if (known === undefined || !isProven(key, { user, born: known, erased }, made)) continue;
    const edit = (held: StoredUser | undefined): StoredUser['record'] | undefined =>
      held !== undefined && isWrittenSince(held, time) ? held.record : undefined;
    if (erased) await eraseUser(site, user, name);
    // As of then: who was enrolled somewhere meanwhile, perhaps under the same name, came after it.
    else await changeUser(site, user, edit, { by: name, time: Math.min(time, site.now) });
  }
}

function isWrittenSince({ provenance }: StoredUser, time: number): boolean {
  return [...provenance.values()].some(
    (by) => by.origin === 'gateway' && by.terminal === undefined && by.time > time,
  );
}
