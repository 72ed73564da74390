import { hash } from 'node:crypto';
import { recordSize, writeRecord } from '@whorl/protocol';
import type { Change, SiteRow } from '../store/sites.ts';
import type { StoredUser } from '../store/store.ts';
import type { SitesGround } from './ground.ts';
import { siteOf } from '../sync/site-names.ts';
import { cursorAt, resumeAt } from './history.ts';
import type { History } from './history.ts';
import { belongs } from './merging.ts';
import { told } from './names.ts';
import type { AnswerOf, DownRow, RequestOf } from './requests.ts';

// The master gives a satellite what it asks for.

const MOST_ROWS = 500;
/** Of a row besides the record. */
const ROW_BYTES = 150;

export interface Served {
  readonly answer: AnswerOf<'users'>;
  readonly blobs: readonly Uint8Array[];
}

/** Names the scope of a site: another one, and all users are looked at again. */
export function scopeName({ groups }: Pick<SiteRow, 'groups'>): string {
  return groups === undefined
    ? 'all'
    : hash('sha256', JSON.stringify([...groups].sort()), 'hex').slice(0, 16);
}

export async function historyOf({ site }: Pick<SitesGround, 'site'>): Promise<History> {
  const { sites } = site.store;
  return { runs: await sites.runs(), heads: await sites.heads() };
}

/** What changed behind a place, oldest first. */
export async function serveChanges(
  ground: SitesGround,
  site: SiteRow,
  { after, bytes }: RequestOf<'users'>,
): Promise<Served> {
  const { sites } = ground.site.store;
  const history = await historyOf(ground);
  const from = resumeAt(history, 'users', after).seq;
  const changes = await sites.changes(from, MOST_ROWS);
  const page = await pageOf(ground, site, { changes, bytes, known: false });
  const seq = page.last?.seq ?? Math.max(from, history.heads.users);
  const left = await sites.countChanges(seq, history.heads.users);
  return {
    answer: { rows: page.rows, cursor: cursorAt(history, 'users', seq), left },
    blobs: page.blobs,
  };
}

/** All users, newest change first, before a place; those that the satellite has already are left out. */
export async function serveWalk(
  ground: SitesGround,
  site: SiteRow,
  { before, bytes }: RequestOf<'walk'>,
): Promise<Served> {
  const { sites } = ground.site.store;
  const changes = await sites.changesBefore(before, MOST_ROWS);
  const page = await pageOf(ground, site, { changes, bytes, known: true });
  const seq = page.last?.seq ?? 0;
  const left = await sites.countChanges(0, Math.max(seq - 1, 0));
  return { answer: { rows: page.rows, cursor: { run: scopeName(site), seq }, left }, blobs: page.blobs };
}

/** Those of these users whom the master does not know of, and those who do not belong at the site. */
export async function serveCheck(
  { site }: SitesGround,
  { groups }: SiteRow,
  { users }: RequestOf<'check'>,
): Promise<AnswerOf<'check'>> {
  const missing: number[] = [];
  const outside: number[] = [];
  for (const id of users) {
    const user = await site.store.user(id);
    if (user === undefined) missing.push(id);
    else if (!belongs(groups, user)) outside.push(id);
  }
  return { missing, outside };
}

interface PageParts {
  readonly changes: readonly Change[];
  /** About so many; at least one user. */
  readonly bytes: number;
  /** Whether what the satellite has already is left out. */
  readonly known: boolean;
}

/** Rows for changes, as far as they fit; what the satellite may have from now on is remembered before it is sent. */
async function pageOf(
  ground: SitesGround,
  site: SiteRow,
  { changes, bytes, known }: PageParts,
): Promise<{ rows: DownRow[]; blobs: Uint8Array[]; last: Change | undefined }> {
  const { store } = ground.site;
  const users = changes.map(({ user }) => user);
  const held = await store.sites.held(site.syncId, users);
  const erased = new Set(await store.sites.erased(users));
  const disputes = (await store.countConflicts()) > 0;
  const [rows, blobs, given] = [[] as DownRow[], [] as Uint8Array[], new Map<number, number>()];
  let [size, last] = [0, undefined as Change | undefined];
  for (const change of changes) {
    const { user: id } = change;
    const user = await store.user(id);
    if (user === undefined || !belongs(site.groups, user)) {
      // Whether a site ever held somebody erased is not worth the doubt.
      if (held.has(id) || (user === undefined && erased.has(id))) {
        const why = user !== undefined ? 'scope' : erased.has(id) ? 'erased' : 'deleted';
        rows.push({ is: 'gone', user: id, why });
        given.set(id, 0);
      }
    } else if (!known || held.get(id) !== user.version) {
      const bigger = size + recordSize(user.record) + ROW_BYTES;
      if (size > 0 && bigger > bytes) break;
      size = bigger;
      const apart = disputes && (await isApart(ground, site, id));
      rows.push(rowOf(ground.name, user, blobs.length, apart));
      blobs.push(writeRecord(user.record));
      given.set(id, user.version);
    }
    last = change;
  }
  await store.sites.saveHeld(site.syncId, given);
  return { rows, blobs, last };
}

/** Whether somebody of this site is held apart from this user. */
async function isApart({ site }: SitesGround, { name }: SiteRow, user: number): Promise<boolean> {
  const open = await site.store.conflicts({ user, kind: 'two-people', state: 'open', limit: 100 });
  return open.some(({ terminal }) => siteOf(terminal) === name);
}

function rowOf(
  master: string,
  { record, version, provenance }: StoredUser,
  blob: number,
  apart: boolean,
): DownRow {
  return {
    ...{ is: 'user', user: record.id, version, blob },
    by: [...provenance].map(([field, by]) => [field, told(master, by)]),
    ...(apart ? { apart } : {}),
  };
}
