import { FIELDS } from '@whorl/protocol';
import type { StoredUser } from '../store/store.ts';
import { groupsOf } from '../sync/scope.ts';
import { siteOf } from '../sync/site-names.ts';

// Which users belong at a site: pure.

/** A site, as far as it decides who belongs there. */
export interface Reach {
  readonly name: string;
  /** Access groups that reach it; all of them when absent. */
  readonly groups?: readonly number[] | undefined;
}

/** Whether a user belongs at a site: their groups reach it, or nobody has decided about somebody enrolled there. */
export function belongs(site: Reach, user: Pick<StoredUser, 'record' | 'provenance' | 'former'>): boolean {
  return reached(site.groups, groupsOf(user.record)) || isUndecided(site, user);
}

/** Whether a site that these groups reach has users of those. @param reach all users when absent */
export function reached(reach: readonly number[] | undefined, groups: readonly number[]): boolean {
  return reach === undefined || groups.some((group) => reach.includes(group));
}

/**
 * Whether a site's terminal wrote to a user who has no access group and never had one. Whose groups were taken away has
 * been decided about.
 */
function isUndecided(
  { name }: Pick<Reach, 'name'>,
  { record, provenance, former }: Pick<StoredUser, 'record' | 'provenance' | 'former'>,
): boolean {
  const { number } = FIELDS.groups;
  if (record.fields.has(number) || former?.has(number) === true) return false;
  return [...provenance.values()].some(
    ({ origin, terminal }) => origin === 'terminal' && terminal !== undefined && siteOf(terminal) === name,
  );
}
