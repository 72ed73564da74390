import { hash } from 'node:crypto';
import { planLedger } from './plan.ts';
import type { Site } from './site.ts';

const PAGE = 500;
/** Which setting and which terminals the ledger was last brought in line with. */
const IN_LINE = 'rescope.done';
/** `fingerprint user`: how far the work under way has come. */
const UNDER_WAY = 'rescope.cursor';

/**
 * Brings the ledger of every user in line with the setting and the terminals, a page of users at a time; goes on after
 * a restart where it was, and does nothing when all is in line.
 * @throws WhorlError STORE_*
 */
export async function rescope(site: Site, signal: AbortSignal): Promise<void> {
  const fingerprint = fingerprintOf(site);
  if ((await site.store.note(IN_LINE)) === fingerprint) return;
  let after = await resumeAt(site, fingerprint);
  while (!signal.aborted) {
    const { autoSync } = site.settings;
    if (fingerprintOf(site) !== fingerprint) return;
    const users = await site.store.users({ after, limit: PAGE });
    const last = users.at(-1);
    if (last === undefined) break;
    const rows = await site.store.ledgerOf(users.map((user) => user.id));
    const planned = users.flatMap(({ id, groups, version }) =>
      planLedger({
        user: id,
        groups,
        version,
        rows: rows.filter((row) => row.user === id),
        places: site.places,
        autoSync,
        now: site.now,
      }),
    );
    await site.store.writeLedger(planned);
    await site.store.saveNote(UNDER_WAY, `${fingerprint} ${last.id}`);
    after = last.id;
    if (planned.length > 0) site.wake();
  }
  if (signal.aborted) return;
  await site.store.saveNote(IN_LINE, fingerprint);
  await site.store.saveNote(UNDER_WAY, undefined);
}

async function resumeAt(site: Site, fingerprint: string): Promise<number> {
  const [of, user] = ((await site.store.note(UNDER_WAY)) ?? '').split(' ');
  return of === fingerprint ? Number(user) : 0;
}

function fingerprintOf(site: Site): string {
  const places = site.places.map((place) => [place.terminal, [...place.groups].sort((a, b) => a - b)]);
  return hash('sha256', JSON.stringify([site.settings.autoSync, places]), 'base64url');
}
