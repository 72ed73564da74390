import { MASTER_ID, MOST_SITES } from '../settings/sites.ts';
import type { Store } from '../store/store.ts';

type Notes = Pick<Store, 'note' | 'saveNote'>;

/** Remembers what a site was called that goes from the list: its events stay. @throws WhorlError STORE_* */
export async function rememberName(store: Notes, syncId: number, name: string): Promise<void> {
  await store.saveNote(key(syncId), name);
}

/** How a site is told of that is in the list no more: `north (removed)`; by its number when it never was. @throws WhorlError STORE_* */
export async function formerName(store: Notes, syncId: number): Promise<string> {
  const name = await store.note(key(syncId));
  return name === undefined ? `sync id ${syncId}` : `${name} (removed)`;
}

/**
 * Sites that were removed, by sync id.
 * @param listed sync ids that somebody has now
 * @throws WhorlError STORE_*
 */
export async function formerSites(
  store: Notes,
  listed: ReadonlySet<number>,
): Promise<ReadonlyMap<number, string>> {
  const free = Array.from({ length: MOST_SITES - MASTER_ID }, (_, index) => MASTER_ID + 1 + index).filter(
    (syncId) => !listed.has(syncId),
  );
  // Asked together: the store's thread answers all of it at once.
  const names = await Promise.all(
    free.map(async (syncId) => [syncId, await store.note(key(syncId))] as const),
  );
  return new Map(names.flatMap(([syncId, name]) => (name === undefined ? [] : [[syncId, name] as const])));
}

function key(syncId: number): string {
  return `site.former.${syncId}`;
}
