import type { UserRecord } from '@whorl/protocol';
import { codeOf } from '@whorl/protocol';
import { edited } from './edit.ts';
import type { UserImport } from './operations.ts';
import { effectOf, guard, Tally } from './preview.ts';
import type { Confirmation, Preview, PreviewPage } from './preview.ts';
import type { Site } from './site.ts';
import { changedFields, planFor } from './users.ts';

// A file that was exported long ago, or has the wrong numbers in it, overwrites many users at every terminal at once.

/**
 * What an import would do at the terminals. Users who stay as they are, and those whose values are refused, do nothing.
 * @throws WhorlError STORE_*
 */
export async function previewImport(
  site: Site,
  imports: readonly UserImport[],
  page: PreviewPage,
): Promise<Preview> {
  const tally = new Tally(page, 'overwritten');
  for (const [terminal, counts] of await site.store.ledgerCounts())
    tally.held(terminal, counts.verified + counts.sending);
  const byUser = [...Map.groupBy(imports, ({ id }) => id)].sort(([a], [b]) => a - b);
  for (const [user, edits] of byUser) {
    const held = await site.store.user(user);
    const before = held?.record ?? { id: user, fields: new Map<number, Uint8Array>() };
    const after = edits.reduce(applied, before);
    if (held !== undefined && changedFields(before, after).length === 0) continue;
    const rows = await site.store.ledgerOf([user]);
    for (const row of await planFor(site, user, after, (held?.version ?? 0) + 1)) {
      const effect = effectOf(
        rows.find(({ terminal }) => terminal === row.terminal),
        row,
      );
      if (effect !== undefined) tally.add(effect);
    }
  }
  return tally.preview('import', site.settings);
}

/** Lets an import pass that overwrites few users, or that was confirmed. @throws WhorlError GUARD_EXCEEDED, GUARD_CHANGED, STORE_* */
export async function allowImport(
  site: Site,
  imports: readonly UserImport[],
  confirmation: Confirmation,
): Promise<void> {
  guard(await previewImport(site, imports, { limit: 0 }), confirmation, 'overwritten');
}

/** What is refused is told of each user when the import is done. */
function applied(record: UserRecord, { edit }: UserImport): UserRecord {
  try {
    return edited(record, edit);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return record;
  }
}
