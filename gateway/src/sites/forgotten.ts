import { recordOf } from '@whorl/protocol';
import { departureKey, isProven } from './departure.ts';
import { eraseUser } from '../sync/erasure.ts';
import type { SiteRow } from '../store/sites.ts';
import type { Conflict, Provenance, StoredUser } from '../store/store.ts';
import { nextVersion } from '../sync/former.ts';
import { changeUser } from '../sync/users.ts';
import type { SitesGround } from './ground.ts';
import type { RequestOf } from './requests.ts';
import { bornOf } from './serving.ts';

/**
 * A master that went back to a backup has people again whom it had deleted since: satellites remember who they were.
 * They are deleted again, unless somebody at the master has changed them since. What terminals wrote since is of somebody
 * who was enrolled under a number that was free there: that one has it from now on.
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
    const heir = async (held: StoredUser): Promise<StoredUser | undefined> =>
      heirOf(held, await site.store.conflictsOf(user), time);
    // As of then: who was enrolled somewhere meanwhile, perhaps under the same name, came after it.
    const deletion = { by: name, time: Math.min(time, site.now), heir };
    if (erased) await eraseUser(site, user, name);
    else await changeUser(site, user, edit, deletion);
  }
}

function isWrittenSince({ provenance }: StoredUser, time: number): boolean {
  return [...provenance.values()].some(
    (by) => by.origin === 'gateway' && by.terminal === undefined && by.time > time,
  );
}

/** Whoever was taken for somebody who had been deleted, with all that was written for them, taken or asked about. */
function heirOf(held: StoredUser, conflicts: readonly Conflict[], time: number): StoredUser | undefined {
  const asked = conflicts.filter(({ state, kind }) => state === 'open' && kind !== 'two-people');
  const fields = new Map<number, Uint8Array>();
  const writers = new Map<number, Provenance>();
  for (const { record, provenance } of [...asked.map(({ theirs }) => theirs), held])
    for (const [field, value] of record.fields) {
      const by = provenance.get(field);
      // What was found at a terminal may have been there before.
      if (by === undefined || by.time <= time || by.found === true) continue;
      fields.set(field, value);
      writers.set(field, by);
    }
  if (fields.size === 0) return undefined;
  const { version, record } = held;
  const nobody = { version, record: recordOf(record.id, []), provenance: new Map() };
  return nextVersion(nobody, recordOf(record.id, fields), writers);
}
