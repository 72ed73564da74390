import { codeOf, WhorlError } from '@whorl/protocol';
import type { RuntimeSettings } from '../settings/runtime.ts';
import { effectOf, guard, Tally } from './preview.ts';
import type { Confirmation, Preview, PreviewPage } from './preview.ts';
import { allowScope, fingerprintOf, previewScope } from './rescope.ts';
import { placesOf } from './scope.ts';
import type { Scope } from './scope.ts';
import type { Site } from './site.ts';
import { releaseTaken } from './taken.ts';
import { deleteUser, planFor } from './users.ts';

// Changes that may remove many users from terminals: each is previewed, and guarded.

/** Users looked at together. */
const PAGE = 500;

/**
 * What settings become when these are changed: a policy or a scope that is given for one field or terminal leaves those
 * of others as they are.
 * @throws WhorlError TERMINAL_UNKNOWN
 */
export function completed(site: Site, changes: Partial<RuntimeSettings>): Partial<RuntimeSettings> {
  const { merge, scope } = site.settings;
  for (const terminal of Object.keys(changes.scope ?? {}))
    if (!site.configured.some((place) => place.terminal === terminal))
      throw new WhorlError('TERMINAL_UNKNOWN', `no terminal is called ${terminal}`);
  return {
    ...changes,
    ...(changes.merge === undefined ? {} : { merge: { ...merge, ...changes.merge } }),
    ...(changes.scope === undefined ? {} : { scope: { ...scope, ...changes.scope } }),
  };
}

/** What changed settings would do at the terminals: with another policy nothing, it is for merges to come. */
export function previewSettings(
  site: Site,
  changes: Partial<RuntimeSettings>,
  page: PreviewPage,
): Promise<Preview> {
  const next = scopeOf(site, completed(site, changes));
  if (fingerprintOf(next) === fingerprintOf(site.scope))
    return Promise.resolve(new Tally().preview(fingerprintOf(next), site.settings));
  return previewScope(site, next, fingerprintOf(next), page);
}

/**
 * Changes settings; who goes where follows by itself.
 * @throws WhorlError GUARD_EXCEEDED, GUARD_CHANGED, TERMINAL_UNKNOWN, STORE_*
 */
export async function changeSettings(
  site: Site,
  wanted: Partial<RuntimeSettings>,
  confirmation: Confirmation,
): Promise<void> {
  const changes = completed(site, wanted);
  const next = scopeOf(site, changes);
  if (fingerprintOf(next) !== fingerprintOf(site.scope)) {
    guard(await previewSettings(site, wanted, { limit: 0 }), confirmation);
    await allowScope(site, next);
    await releaseTaken(site, next.autoSync);
  }
  const data = { changed: changes };
  const event = { type: 'settings.changed', time: site.now, origin: 'gateway', data } as const;
  const events = await site.store.saveSettings(changes, [event]);
  site.settings = { ...site.settings, ...changes };
  site.publish(events);
}

/** What the scope in force would still do: the guard holds it back when the configuration was edited. */
export function previewHeld(site: Site, page: PreviewPage): Promise<Preview> {
  return previewScope(site, site.scope, fingerprintOf(site.scope), page);
}

/** Lets the scope in force be applied. @throws WhorlError GUARD_EXCEEDED, GUARD_CHANGED, STORE_* */
export async function allowHeld(site: Site, confirmation: Confirmation): Promise<void> {
  guard(await previewHeld(site, { limit: 0 }), confirmation);
  await allowScope(site, site.scope);
}

/** Who would be removed from where when these users are deleted. */
export async function previewDeletion(
  site: Site,
  users: readonly number[],
  page: PreviewPage,
): Promise<Preview> {
  const tally = new Tally(page);
  for (const [terminal, counts] of await site.store.ledgerCounts())
    tally.held(terminal, counts.verified + counts.sending);
  const ids = [...new Set(users)].sort((a, b) => a - b);
  for (let from = 0; from < ids.length; from += PAGE) {
    const page = ids.slice(from, from + PAGE);
    const rows = Map.groupBy(await site.store.ledgerOf(page), (row) => row.user);
    for (const user of page)
      for (const row of await planFor(site, user, undefined, 1)) {
        const before = rows.get(user)?.find((one) => one.terminal === row.terminal);
        const effect = effectOf(before, row);
        if (effect !== undefined) tally.add(effect);
      }
  }
  return tally.preview('delete', site.settings);
}

/**
 * Deletes users here and at the terminals; those that are not there are left out.
 * @returns how many there were
 * @throws WhorlError GUARD_EXCEEDED, GUARD_CHANGED, STORE_*
 */
export async function deleteUsers(
  site: Site,
  users: readonly number[],
  confirmation: Confirmation,
  by?: string,
): Promise<number> {
  guard(await previewDeletion(site, users, { limit: 0 }), confirmation);
  let deleted = 0;
  for (const id of new Set(users)) if (await deleteOne(site, id, by)) deleted += 1;
  return deleted;
}

async function deleteOne(site: Site, id: number, by: string | undefined): Promise<boolean> {
  try {
    await deleteUser(site, id, by);
    return true;
  } catch (error) {
    if (codeOf(error) === 'USER_UNKNOWN') return false;
    throw error;
  }
}

function scopeOf(site: Site, changes: Partial<RuntimeSettings>): Scope {
  const next = { ...site.settings, ...changes };
  return { autoSync: next.autoSync, places: placesOf(site.configured, next.scope, site.portables) };
}
