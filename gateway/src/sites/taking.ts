import { codeOf, textOf } from '@whorl/protocol';
import type { SiteMark, SiteRow } from '../store/sites.ts';
import type { Conflict, Store, StoredUser, UserChange } from '../store/store.ts';
import { erasedIn } from '../sync/returned.ts';
import { MOST_RACES, planFor } from '../sync/users.ts';
import type { SitesGround } from './ground.ts';
import { isBefore, isDeleted, mergeOffer, offeredWhole } from './merging.ts';
import type { MergedOffer } from './merging.ts';
import { readMessage, writeMessage } from './message.ts';
import type { AnswerOf, Offer, Outcome, RequestOf } from './requests.ts';
import { bornOf } from './serving.ts';
import { WhorlError } from '@whorl/protocol';
import { offersSchema } from './requests.ts';
import { fitting } from './login-words.ts';

// The master takes what a satellite sends up.

interface Taken {
  readonly row: Offer;
  readonly merged: MergedOffer | undefined;
  readonly change: UserChange | undefined;
  readonly marks: readonly SiteMark[];
  readonly outcome: Outcome;
}

/** Merges offers and remembers how far it is, in one transaction; a row that fails is set aside with its reason. */
export async function takeOffers(
  ground: SitesGround,
  site: SiteRow,
  { rows, cursor }: RequestOf<'offers'>,
  blobs: readonly Uint8Array[],
): Promise<AnswerOf<'offers'>> {
  const progress = { kind: 'cursor', peer: site.syncId, stream: 'users', cursor } as const;
  // Before it is answered, and again should it be asked again: a site that has somebody must never be forgotten.
  await ground.site.store.sites.saveHeld(site.syncId, await mayHave(ground, site, rows));
  const taken = await take(ground, site, { rows, blobs, also: [progress] });
  const born = await bornOf(
    ground,
    rows.map(({ user }) => user),
  );
  return {
    results: taken.map(({ row, outcome }) => ({ user: row.user, outcome, born: born.get(row.user) ?? '' })),
  };
}

/** Whom the site may have though the master has not given it that user: it hears when they go, or do not belong there. */
async function mayHave(
  { site }: SitesGround,
  { syncId }: SiteRow,
  rows: readonly Offer[],
): Promise<ReadonlyMap<number, number>> {
  const users = rows.map(({ user }) => user);
  const held = await site.store.sites.held(syncId, users);
  return new Map(users.filter((user) => !held.has(user)).map((user) => [user, 0]));
}

/** Of one site in an exchange: it is not to keep its master busy with what is wrong. */
const MOST_RETRIED = 100;

/** Tries again what was set aside. */
export async function retryOffers(ground: SitesGround, site: SiteRow): Promise<void> {
  const { store } = ground.site;
  const waiting = await store.sites.aside({ by: 'attempts', peer: site.syncId, limit: MOST_RETRIED });
  for (const { bytes } of waiting) {
    const { body, blobs } = readMessage(bytes);
    const { rows } = fitting(offersSchema, body, 'what was set aside');
    await take(ground, site, { rows, blobs, also: [] });
  }
}

async function take(
  ground: SitesGround,
  site: SiteRow,
  it: { rows: readonly Offer[]; blobs: readonly Uint8Array[]; also: readonly SiteMark[] },
): Promise<readonly Taken[]> {
  const { store } = ground.site;
  for (let race = 0; race < MOST_RACES; race += 1) {
    const users = it.rows.map(({ user }) => user);
    const [born, there] = await Promise.all([bornOf(ground, users), store.sites.held(site.syncId, users)]);
    // Asked together: the store's thread answers all of it at once.
    const taken = await Promise.all(
      it.rows.map((row) => {
        const shared = (there.get(row.user) ?? 0) !== 0;
        return takeOne(ground, site, { row, blobs: it.blobs, born, shared });
      }),
    );
    const changes = taken.flatMap(({ change }) => change ?? []);
    const marks = [...taken.flatMap((one) => one.marks), ...it.also];
    const last = changes.pop();
    if (last === undefined) {
      await store.sites.mark(marks);
      return taken;
    }
    const events = await store.saveUsers([...changes, { ...last, sites: marks }]);
    if (events === undefined) continue;
    ground.site.publish(events);
    ground.site.wake();
    return taken;
  }
  throw new WhorlError(
    'USER_CHANGED',
    'users that a site offers are being changed by others without a pause',
  );
}

async function takeOne(
  ground: SitesGround,
  site: SiteRow,
  it: { row: Offer; blobs: readonly Uint8Array[]; born: ReadonlyMap<number, string>; shared: boolean },
): Promise<Taken> {
  const { row, blobs } = it;
  const { store } = ground.site;
  const settled = { kind: 'settled', peer: site.syncId, user: row.user } as const;
  const none = { row, merged: undefined, change: undefined };
  const held = await store.user(row.user);
  const logged = { kind: 'logged', user: row.user } as const;
  // Somebody else has the number now, or nobody.
  if (row.born !== '' && it.born.get(row.user) !== row.born)
    return { ...none, marks: [settled, logged], outcome: 'gone' };
  try {
    const offered = { site: site.name, master: ground.name, row, blobs, now: ground.site.now };
    if (row.base === 0) {
      const whole = offeredWhole(offered);
      const tombstone = await store.tombstones.whose(whole.record);
      if (tombstone !== undefined && isDeleted(whole, tombstone, held))
        return { ...none, marks: [settled, logged], outcome: 'gone' };
    }
    const left = held === undefined ? row : await withoutErased(store, offered, held);
    if (left.parts.length === 0) return { ...none, marks: [settled, logged], outcome: 'gone' };
    const merged = mergeOffer({
      ...{ ...offered, row: left, held },
      known: await conflictsOf(ground, row.user, held),
      ...{ settings: ground.site.settings, reach: site.groups, shared: it.shared },
    });
    const outcome = left.parts.length < row.parts.length ? 'partly' : merged.outcome;
    const change = outcome === 'gone' ? undefined : await changeOf(ground, row.user, held, merged);
    // What was not taken whole comes down again as the master has it, though nothing of it changed there.
    const again: SiteMark[] =
      outcome === 'partly' || outcome === 'apart' || outcome === 'gone' ? [logged] : [];
    return { row, merged, change, marks: [settled, ...again], outcome };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || code.startsWith('STORE_')) throw error;
    return { ...none, marks: [setAside(ground, site, it, error)], outcome: 'failed' };
  }
}

/** An offer without what was erased of somebody, whose number somebody has by now under the same name. */
async function withoutErased(
  store: Pick<Store, 'tombstones'>,
  offered: Parameters<typeof offeredWhole>[0],
  held: StoredUser,
): Promise<Offer> {
  const { row } = offered;
  const parts: Offer['parts'][number][] = [];
  for (const part of row.parts) {
    const { record, by } = offeredWhole({ ...offered, row: { ...row, parts: [part] } });
    const erased = await erasedIn(store, held, record);
    if (erased === undefined || !isBefore(by, erased.time)) parts.push(part);
  }
  return { ...row, parts };
}

function setAside(
  ground: SitesGround,
  { syncId }: SiteRow,
  { row, blobs }: { row: Offer; blobs: readonly Uint8Array[] },
  error: unknown,
): SiteMark {
  const own = row.parts.map(({ blob }) => blobs[blob] ?? new Uint8Array());
  const parts = row.parts.map(({ by }, index) => ({ by, blob: index }));
  const body = { ask: 'offers', rows: [{ ...row, parts }], cursor: { run: '', seq: 0 } };
  return {
    kind: 'aside',
    row: {
      ...{ peer: syncId, user: row.user, bytes: writeMessage({ body, blobs: own }) },
      ...{ code: codeOf(error) ?? '', reason: textOf(error), since: ground.site.now },
    },
  };
}

async function conflictsOf(
  ground: SitesGround,
  user: number,
  held: StoredUser | undefined,
): Promise<readonly Conflict[]> {
  return held === undefined ? [] : ground.site.store.conflictsOf(user);
}

async function changeOf(
  { site }: SitesGround,
  user: number,
  held: StoredUser | undefined,
  { next, conflicts, events }: MergedOffer,
): Promise<UserChange | undefined> {
  if (next === undefined || (next === held && conflicts.length === 0 && events.length === 0))
    return undefined;
  const ledger = next === held ? [] : await planFor(site, user, next.record, next.version);
  return { user, from: held?.version ?? 0, next, ledger, conflicts, events, time: site.now };
}

/** Stores whom terminals of a satellite hold. */
export async function takeHoldings(
  ground: SitesGround,
  { syncId }: SiteRow,
  { fresh, rows, cursor }: RequestOf<'holdings'>,
): Promise<AnswerOf<'holdings'>> {
  await ground.site.store.sites.mark([
    {
      ...{ kind: 'holdings', site: syncId, fresh },
      rows: rows.map(([terminal, user, checked]) => ({
        ...{ terminal, user },
        ...(checked === null ? {} : { checked }),
      })),
    },
    { kind: 'cursor', peer: syncId, stream: 'holdings', cursor },
  ]);
  return {};
}

/** Stores a satellite's events; those that have come before change nothing. */
export async function takeEvents(
  ground: SitesGround,
  { syncId, name }: SiteRow,
  { rows, cursor }: RequestOf<'events'>,
): Promise<AnswerOf<'events'>> {
  const events = rows.map((row) => ({ ...row, site: syncId, run: cursor.run }));
  await ground.site.store.sites.mark([
    { kind: 'events', name, events },
    { kind: 'cursor', peer: syncId, stream: 'events', cursor },
  ]);
  return {};
}
