import { sleep } from '@whorl/protocol';
import type { SiteRow } from '../store/sites.ts';
import type { UserSummary } from '../store/store.ts';
import { Tally } from '../sync/preview.ts';
import type { EffectKind, Preview, PreviewPage } from '../sync/preview.ts';
import type { SitesGround } from './ground.ts';
import { reached } from './belonging.ts';
import type { SitePreview } from './operations.ts';
import { scopeName } from './serving.ts';

// Who is at a site follows from the access groups that reach it: what another list of them would do, before it does it.

type Ground = Pick<SitesGround, 'site' | 'clock'>;

/** Users looked at together. */
const PAGE = 500;

/**
 * What it would do at a site that other groups reach it. Somebody whom the site may have already is overwritten there once
 * they belong there.
 * @param groups all users when absent
 * @throws WhorlError STORE_*
 */
export function previewReach(
  ground: Ground,
  site: SiteRow,
  groups: readonly number[] | undefined,
  page: PreviewPage,
): Promise<Preview> {
  const next = scopeName(groups === undefined ? {} : { groups });
  const change = `site ${site.name} ${next}`;
  if (next === scopeName(site)) return Promise.resolve(new Tally().preview(change, ground.site.settings));
  return preview(ground, site, { change, page }, (before, user, own) => {
    const after = reached(groups, user.groups);
    if (before === after) return undefined;
    if (before) return 'removed';
    return own ? 'overwritten' : 'added';
  });
}

/**
 * What it would do at a site to take it off the list: whom it has stays there, and is kept up to date no more.
 * @throws WhorlError STORE_*
 */
export function previewLeaving(ground: Ground, site: SiteRow, page: PreviewPage): Promise<Preview> {
  const change = `site ${site.name} removed`;
  return preview(ground, site, { change, page }, (before) => (before ? 'left' : undefined));
}

async function preview(
  { site: { store, settings }, clock }: Ground,
  { syncId, name, groups }: SiteRow,
  { change, page }: { readonly change: string; readonly page: PreviewPage },
  effectOn: (before: boolean, user: UserSummary, own: boolean) => EffectKind | undefined,
): Promise<Preview> {
  const tally = new Tally(page);
  for (let after = 0; ;) {
    const users = await store.users({ after, limit: PAGE });
    const last = users.at(-1);
    if (last === undefined) return tally.preview(change, settings);
    const held = await store.sites.held(
      syncId,
      users.map(({ id }) => id),
    );
    for (const user of users) {
      const before = reached(groups, user.groups);
      if (before) tally.held(name);
      const effect = effectOn(before, user, held.has(user.id));
      if (effect !== undefined) tally.add({ user: user.id, terminal: name, effect });
    }
    after = last.id;
    // Requests and lines are waiting; a page of users takes milliseconds.
    if (users.length === PAGE) await sleep(clock, 0);
  }
}

/** The same in the words of sites. */
export function sitePreview({ confirm, guarded, terminals, users, next }: Preview): SitePreview {
  return {
    ...{ confirm, guarded },
    sites: terminals.map(({ terminal, users: belong, added, overwritten, removed, left }) => ({
      ...{ site: terminal, users: belong, added, overwritten, removed, left },
    })),
    users: users.map(({ user, terminal, effect }) => ({ user, site: terminal, effect })),
    ...(next === undefined ? {} : { next }),
  };
}
