import { z } from 'zod';
import type { Cursor, SiteRow } from '../store/sites.ts';
import type { SitesGround } from './ground.ts';
import { resumeAt } from './history.ts';
import type { History } from './history.ts';

// A master whose database went back to a backup hears of it from its satellites: they have got more of it than it has.

const NOTE = 'sites.setback';
/** Of the events before a restart, so many may be those of the restoring itself. */
const LAST_EVENTS = 5;

const schema = z.strictObject({
  noticed: z.int(),
  until: z.int(),
  /** Sync ids of those who have exchanged everything since. */
  told: z.array(z.int()),
});

/** That the master’s database is a backup. */
export interface Setback {
  /** When the first satellite came that knew more; milliseconds UTC. */
  readonly noticed: number;
  /** Of the last thing that is known from before; the backup is at least that old. */
  readonly until: number;
  /** Satellites that have told again what was lost, as far as they have it. */
  readonly told: readonly number[];
}

/** @throws WhorlError STORE_* */
export async function setbackOf({ site }: Pick<SitesGround, 'site'>): Promise<Setback | undefined> {
  const note = await site.store.note(NOTE);
  return note === undefined ? undefined : schema.safeParse(JSON.parse(note)).data;
}

/**
 * A satellite says how far it is with this master: tells once of each time that it is further than the master itself.
 * @throws WhorlError STORE_*
 */
export async function noticeSetback(
  ground: Pick<SitesGround, 'site'>,
  { syncId, name }: Pick<SiteRow, 'syncId' | 'name'>,
  { history, cursor }: { readonly history: History; readonly cursor: Cursor },
): Promise<void> {
  if (!resumeAt(history, 'users', cursor).lost) return;
  const { site } = ground;
  const known = await setbackOf(ground);
  // Who has not come since then tells nothing new.
  if (known !== undefined && !known.told.includes(syncId)) return;
  const until = await lastBefore(ground, boundary(history, cursor));
  await keep(ground, { noticed: site.now, until, told: [] });
  const day = new Date(until).toISOString();
  site.log.warn(
    { site: name, until: day },
    `sites: ${name} has got more of this master than it has: its database is a backup, of ${day} or before; satellites tell again what it lost`,
  );
  await site.tell({ type: 'site.restored', time: site.now, data: { site: name, until } });
}

/** A satellite has exchanged everything. @throws WhorlError STORE_* */
export async function toldAgain(ground: Pick<SitesGround, 'site'>, syncId: number): Promise<void> {
  const known = await setbackOf(ground);
  if (known === undefined || known.told.includes(syncId)) return;
  await keep(ground, { ...known, told: [...known.told, syncId] });
}

function keep({ site }: Pick<SitesGround, 'site'>, { noticed, until, told }: Setback): Promise<void> {
  return site.store.saveNote(NOTE, JSON.stringify({ noticed, until, told }));
}

/** The last event before the run with which another history began. */
function boundary({ runs }: History, { run }: Cursor): number {
  const index = runs.findLastIndex(({ id }) => id === run);
  return (index < 0 ? runs.at(-1) : runs[index + 1])?.event ?? 0;
}

async function lastBefore({ site }: Pick<SitesGround, 'site'>, upTo: number): Promise<number> {
  const events = await site.store.events({ upTo, newest: true, limit: LAST_EVENTS });
  return events.findLast(({ type }) => type !== 'gateway.restored')?.time ?? site.now;
}
