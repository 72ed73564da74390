import { hash } from 'node:crypto';
import { recordSize, writeRecord } from '@whorl/protocol';
import type { Change, SiteRow } from '../store/sites.ts';
import type { Store, StoredUser } from '../store/store.ts';
import type { SitesGround } from './ground.ts';
import { siteOf } from '../sync/site-names.ts';
import { departureKey, provenDeparture } from './departure.ts';
import { cursorAt, resumeAt } from './history.ts';
import type { History } from './history.ts';
import { belongs } from './belonging.ts';
import { told } from './names.ts';
import type { AnswerOf, DownRow, RequestOf } from './requests.ts';

// The master gives a satellite what it asks for.

const MOST_ROWS = 500;
/** Of a page, however much a satellite would take. */
const MOST_BYTES = 256 * 1024;
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

/** Names of the changes that made these users, where there are such users. */
export async function bornOf(
  ground: Pick<SitesGround, 'site'>,
  users: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const seqs = await ground.site.store.sites.born(users);
  if (seqs.size === 0) return new Map();
  const history = await historyOf(ground);
  return new Map([...seqs].map(([user, seq]) => [user, changeName(history, seq)]));
}

function changeName(history: History, seq: number): string {
  return `${cursorAt(history, 'users', seq).run}:${seq}`;
}

/** Whether a change is in the log no more. @param name empty when it is not known */
function isLost(history: History, name: string): boolean {
  const [run = '', seq] = name.split(':');
  return seq !== undefined && resumeAt(history, 'users', { run, seq: Number(seq) }).lost;
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
  // Mostly there is nothing new.
  const page = changes.length === 0 ? NO_PAGE : await pageOf(ground, site, { changes, bytes, known: false });
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
  { before, stored, bytes }: RequestOf<'walk'>,
  walked: Walked[],
): Promise<Served> {
  const { sites } = ground.site.store;
  await confirmWalk(ground, site, walked, stored);
  const changes = await sites.changesBefore(before, MOST_ROWS);
  const page = await pageOf(ground, site, { changes, bytes, known: true });
  const seq = page.last?.seq ?? 0;
  walked.push({ seq, given: page.given });
  const left = await sites.countChanges(0, Math.max(seq - 1, 0));
  return { answer: { rows: page.rows, cursor: { run: scopeName(site), seq }, left }, blobs: page.blobs };
}

/**
 * Those of these users whom the master does not know of, or has deleted, and those who do not belong at the site. A birth that a master
 * lost with its database says nothing of who has the number there now.
 */
export async function serveCheck(
  ground: SitesGround,
  at: SiteRow,
  { users }: RequestOf<'check'>,
): Promise<AnswerOf<'check'>> {
  const { site } = ground;
  const { syncId } = at;
  const { sites } = site.store;
  const ids = users.map(([id]) => id);
  const history = await historyOf(ground);
  const disputes = (await site.store.countConflicts()) > 0;
  const gone = new Set(await sites.erased(ids));
  const births = await bornOf(ground, ids);
  const [key, buried] = await Promise.all([departureKey(ground), site.store.tombstones.of(ids)]);
  const answer = {
    missing: [] as number[],
    deleted: [] as [number, string, number][],
    older: [] as number[],
    erased: [] as number[],
    outside: [] as number[],
  };
  for (const [id, born, seen] of users) {
    const user = await site.store.user(id);
    if (user === undefined && gone.has(id)) answer.erased.push(id);
    else if (user === undefined && births.get(id) === born) {
      const proven = provenDeparture(key, { user: id, born, erased: false });
      answer.deleted.push([id, proven, buried.get(id)?.time ?? site.now]);
    } else if (user === undefined) answer.missing.push(id);
    else if (isLost(history, born)) answer.missing.push(id);
    else if (!belongs(at, user) && !(disputes && (await isApart(ground, at, id)))) answer.outside.push(id);
    else if (isLost(history, seen)) answer.older.push(id);
  }
  const held = await sites.held(syncId, ids);
  const doubted = [...ids.filter((id) => !held.has(id)), ...answer.older];
  await sites.saveHeld(syncId, new Map(doubted.map((id) => [id, 0])));
  return answer;
}

/** A page of a walk that a satellite was given. */
export interface Walked {
  readonly seq: number;
  /** Versions of users. */
  readonly given: ReadonlyMap<number, number>;
}

interface Paged extends Pick<Walked, 'given'> {
  readonly rows: DownRow[];
  readonly blobs: Uint8Array[];
  readonly last: Change | undefined;
}

const NO_PAGE: Paged = { rows: [], blobs: [], last: undefined, given: new Map() };

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
): Promise<Paged> {
  const { store } = ground.site;
  const users = changes.map(({ user }) => user);
  const held = await store.sites.held(site.syncId, users);
  const erased = new Set(await store.sites.erased(users));
  const born = await bornOf(ground, users);
  const buried = await store.tombstones.of(users);
  const history = await historyOf(ground);
  const disputes = (await store.countConflicts()) > 0;
  const [rows, blobs, given] = [[] as DownRow[], [] as Uint8Array[], new Map<number, number>()];
  let [size, last] = [0, undefined as Change | undefined];
  for await (const [change, user] of read(store, changes)) {
    const { user: id } = change;
    if (user === undefined || !belongs(site, user)) {
      const had = held.has(id) || (user === undefined && erased.has(id));
      // Whether it ever held somebody erased is not worth the doubt; its own person under this id is another one.
      if (had && !(disputes && user !== undefined && (await isApart(ground, site, id)))) {
        const why = user !== undefined ? 'scope' : erased.has(id) ? 'erased' : 'deleted';
        rows.push(await goneRow(ground, { user: id, why, born: born.get(id), at: buried.get(id)?.time }));
        given.set(id, 0);
      }
    } else if (!known || held.get(id) !== user.version) {
      const bigger = size + recordSize(user.record) + ROW_BYTES;
      if (size > 0 && bigger > Math.min(bytes, MOST_BYTES)) break;
      size = bigger;
      const apart = disputes && (await isApart(ground, site, id));
      const at = changeName(history, change.seq);
      rows.push(rowOf(ground.name, { user, born: born.get(id) ?? '', at, blob: blobs.length, apart }));
      blobs.push(writeRecord(user.record));
      given.set(id, user.version);
    }
    last = change;
  }
  // Of a walk that is cut off, the satellite may have this page or not.
  const sure = known ? new Map([...given.keys()].map((user) => [user, 0])) : given;
  await store.sites.saveHeld(site.syncId, sure);
  return { rows, blobs, last, given };
}

/** What a satellite has stored of its walk, it has. @param stored as far as it is; 0 for all of it */
export async function confirmWalk(
  { site }: SitesGround,
  { syncId }: SiteRow,
  walked: Walked[],
  stored: number,
): Promise<void> {
  const done = walked.filter(({ seq }) => seq >= stored);
  if (done.length === 0) return;
  walked.splice(0, walked.length, ...walked.filter(({ seq }) => seq < stored));
  await site.store.sites.saveHeld(syncId, new Map(done.flatMap(({ given }) => [...given])));
}

const AHEAD = 40;

/** Users one after the other, read some at a time: the store's thread answers all that is asked together at once. */
async function* read(
  store: Pick<Store, 'user'>,
  changes: readonly Change[],
): AsyncGenerator<readonly [Change, StoredUser | undefined]> {
  for (let from = 0; from < changes.length; from += AHEAD) {
    const some = changes.slice(from, from + AHEAD);
    yield* await Promise.all(some.map(async (change) => [change, await store.user(change.user)] as const));
  }
}

/** Whether somebody of this site is held apart from this user. */
async function isApart({ site }: SitesGround, { name }: SiteRow, user: number): Promise<boolean> {
  const open = await site.store.conflicts({ user, kind: 'two-people', state: 'open', limit: 100 });
  return open.some(({ terminal }) => siteOf(terminal) === name);
}

interface Leaving {
  readonly user: number;
  readonly why: 'deleted' | 'erased' | 'scope';
  readonly born: string | undefined;
  /** Of the deletion. */
  readonly at: number | undefined;
}

/** That somebody goes, with the proof of a master that has deleted or erased them. */
async function goneRow(
  ground: SitesGround,
  { user, why, born, at = ground.site.now }: Leaving,
): Promise<DownRow> {
  if (why === 'scope' || born === undefined) return { is: 'gone', user, why };
  const departure = { user, born, erased: why === 'erased' };
  return { is: 'gone', user, why, proven: provenDeparture(await departureKey(ground), departure), at };
}

function rowOf(
  master: string,
  it: { user: StoredUser; born: string; at: string; blob: number; apart: boolean },
): DownRow {
  const { born, at, blob, apart } = it;
  const { record, version, provenance } = it.user;
  return {
    ...{ is: 'user', user: record.id, version, born, at, blob },
    by: [...provenance].map(([field, by]) => [field, told(master, by)]),
    ...(apart ? { apart } : {}),
  };
}
