import { WhorlError } from '@whorl/protocol';
import { MASTER_ID } from '../settings/sites.ts';
import type { Change, Cursor, SiteMark } from '../store/sites.ts';
import type { Conflict, Store, StoredUser, UserChange } from '../store/store.ts';
import { MOST_RACES } from '../sync/users.ts';
import { resolved } from '../sync/resolutions.ts';
import type { Talk } from './talk.ts';
import { cursorAt, resumeAt, runEnd } from './history.ts';
import { emptyBase } from './integrating.ts';
import { offerOf } from './offering.ts';
import type { Offered } from './offering.ts';
import type { AnswerOf, Outcome } from './requests.ts';
import { historyOf } from './serving.ts';

// A satellite tells its master what is new.

const MOST_ROWS = 300;
/** An event is about so long; deflated it is less. */
const EVENT_BYTES = 60;
const MOST_EVENTS = 2000;

type Up = AnswerOf<'open'>['up'];

/** Offers what the master has not been offered yet. */
export async function pushOffers(talk: Talk, up: Up): Promise<void> {
  const { sites } = talk.ground.site.store;
  const { seq: heard } = resumeAt(await historyOf(talk.ground), 'users', up.users ?? undefined);
  let [seq, told] = [heard, heard];
  await settleUpTo(talk, heard);
  for (;;) {
    const changes = await sites.changes(seq, MOST_ROWS);
    const { offers, last } = await collect(talk, changes, heard);
    const history = await historyOf(talk.ground);
    // Where there was nothing to offer, the master is told once, at the end, that it need not be looked at again.
    const cursor = cursorAt(history, 'users', last ?? seq);
    if (offers.length > 0 || (last === undefined && told < seq)) {
      const { answer } = await talk.ask(
        { ask: 'offers', rows: offers.map(({ row }) => row), cursor },
        offers.flatMap(({ blobs }) => blobs),
      );
      await settle(talk, { offers, results: answer.results, cursor });
      told = cursor.seq;
      talk.reached('users', cursor);
    }
    if (last === undefined) return;
    seq = last;
    talk.progress('offers', await sites.countChanges(seq, history.heads.users));
  }
}

/** Offers for changes, as many as fit into a batch; `last` is the last change that was looked at. */
async function collect(
  { ground, pace }: Talk,
  changes: readonly Change[],
  heard: number,
): Promise<{ readonly offers: readonly Offered[]; readonly last: number | undefined }> {
  const { store } = ground.site;
  const bases = await store.sites.bases(changes.map(({ user }) => user));
  const offers: Offered[] = [];
  let [bytes, blobs] = [0, 0];
  let last: number | undefined;
  for await (const [{ user, seq }, held, conflicts] of read(store, changes)) {
    if (bytes >= pace.bytes) break;
    const mine = { site: ground.name, user, held, base: bases.get(user) };
    const offered = offerOf({ ...mine, conflicts, heard }, blobs);
    if (offered !== undefined) {
      offers.push(offered);
      bytes += offered.bytes;
      blobs += offered.blobs.length;
    }
    last = seq;
  }
  return { offers, last };
}

const AHEAD = 40;

/** Users one after the other, read some at a time: the store's thread answers all that is asked together at once. */
async function* read(
  store: Pick<Store, 'user' | 'conflictsOf'>,
  changes: readonly Change[],
): AsyncGenerator<readonly [Change, StoredUser | undefined, readonly Conflict[]]> {
  for (let from = 0; from < changes.length; from += AHEAD)
    yield* await Promise.all(
      changes
        .slice(from, from + AHEAD)
        .map(
          async (change) =>
            [
              change,
              ...(await Promise.all([store.user(change.user), store.conflictsOf(change.user)])),
            ] as const,
        ),
    );
}

/** What a master has answered to offers, or is known to have been offered. */
interface Answered {
  readonly offers: readonly Pick<Offered, 'version' | 'handed' | 'row'>[];
  readonly results: AnswerOf<'offers'>['results'];
  readonly cursor: Cursor;
}

/** Remembers that the master has heard of it; conflicts that it decides from now on are closed here. */
async function settle({ ground }: Talk, { offers, results, cursor }: Answered): Promise<void> {
  const { store, now } = ground.site;
  const known = new Map(results.map((result) => [result.user, result]));
  const mark: SiteMark = { kind: 'cursor', peer: MASTER_ID, stream: 'offered', cursor };
  for (let race = 0; race < MOST_RACES; race += 1) {
    const bases = await store.sites.bases(offers.map(({ row }) => row.user));
    const changes: UserChange[] = [];
    for (const { row, version, handed } of offers) {
      const { user } = row;
      const { outcome = 'failed', born = '' } = known.get(user) ?? {};
      const held = outcome === 'failed' ? undefined : await store.user(user);
      if (held === undefined) continue;
      const base = bases.get(user) ?? emptyBase(version);
      const next = {
        ...base,
        born: base.born === '' ? bornAs(outcome, born) : base.born,
        offered: Math.max(base.offered, version),
        apart: outcome === 'apart',
      };
      changes.push({
        ...{ user, from: held.version, next: held, ledger: [], events: [], time: now },
        sites: [{ kind: 'base', user, base: next }],
        conflicts: handed.map((conflict) => {
          const { event: _, ...write } = resolved(conflict, { state: 'ours', now, handed: cursor.seq });
          return write;
        }),
      });
    }
    const last = changes.pop();
    if (last === undefined) return store.sites.mark([mark]);
    const all = [...changes, { ...last, sites: [...(last.sites ?? []), mark] }];
    if ((await store.saveUsers(all)) !== undefined) return;
  }
  throw new WhorlError('USER_CHANGED', 'users that were offered are being changed by others without a pause');
}

/** Of whom the master has deleted, and who is nobody whom it has, or will have. */
const OF_NOBODY = 'gone';

/** Who somebody is at the master by what it has answered; empty when it is not known. @param born of whom it has */
function bornAs(outcome: Outcome, born: string): string {
  if (outcome === 'gone') return OF_NOBODY;
  return outcome === 'taken' || outcome === 'partly' ? born : '';
}

/**
 * What the master has got, and this gateway died before it heard so. Whoever has not changed since was offered as they
 * are now, with all that was open about them.
 */
async function settleUpTo(talk: Talk, seq: number): Promise<void> {
  const { store } = talk.ground.site;
  for (;;) {
    const from = (await store.sites.cursor(MASTER_ID, 'offered'))?.seq ?? 0;
    if (from >= seq) return;
    const changes = (await store.sites.changes(from, MOST_ROWS)).filter((change) => change.seq <= seq);
    const history = await historyOf(talk.ground);
    const cursor = cursorAt(history, 'users', changes.at(-1)?.seq ?? seq);
    const bases = await store.sites.bases(changes.map(({ user }) => user));
    const offers: Offered[] = [];
    for (const { user } of changes) {
      const held = await store.user(user);
      const base = bases.get(user);
      if (held === undefined) continue;
      const mine = { site: talk.ground.name, user, held, base, heard: seq };
      const offered = offerOf({ ...mine, conflicts: await store.conflictsOf(user) }, 0);
      if (offered !== undefined) offers.push(offered);
    }
    const results = offers.map(({ row }) => ({ user: row.user, outcome: 'taken' as const, born: '' }));
    await settle(talk, { offers, results, cursor });
  }
}

/** Sends events that the master has not got yet. */
export async function pushEvents(talk: Talk, up: Up): Promise<void> {
  const { store } = talk.ground.site;
  let { seq } = resumeAt(await historyOf(talk.ground), 'events', up.events ?? undefined);
  for (;;) {
    const limit = Math.min(Math.ceil(talk.pace.bytes / EVENT_BYTES), MOST_EVENTS);
    const page = await store.events({ after: seq, limit });
    const history = await historyOf(talk.ground);
    const [first] = page;
    if (first === undefined) return;
    // Ids of one run mean one event each; those of another may be the same.
    const end = runEnd(history, 'events', first.id - 1);
    const rows = page.filter(({ id }) => id <= end);
    const last = rows.at(-1)?.id ?? first.id;
    const cursor = cursorAt(history, 'events', last);
    await talk.ask({ ask: 'events', cursor, rows: rows.map(({ source: _, ...event }) => event) });
    seq = last;
    talk.reached('events', cursor);
    talk.progress('events', Math.max(history.heads.events - seq, 0));
  }
}

/** A row is about so long once deflated. */
const HOLDING_BYTES = 8;

/** Tells which terminal holds whom, as far as that changed; all of it to a master that knows of another history. */
export async function pushHoldings(talk: Talk, up: Up): Promise<void> {
  const { sites } = talk.ground.site.store;
  const resumed = resumeAt(await historyOf(talk.ground), 'holdings', up.holdings ?? undefined);
  let fresh = up.holdings === null || resumed.lost;
  let seq = fresh ? 0 : resumed.seq;
  for (;;) {
    const limit = Math.min(Math.ceil(talk.pace.bytes / HOLDING_BYTES), MOST_EVENTS);
    const changes = await sites.holdingChanges(seq, limit);
    const history = await historyOf(talk.ground);
    const last = changes.at(-1);
    if (last === undefined && !fresh) return;
    seq = last?.seq ?? seq;
    const cursor = cursorAt(history, 'holdings', seq);
    const rows = changes.map(
      ({ terminal, user, checked }) => [terminal, user, checked ?? null] as [string, number, number | null],
    );
    await talk.ask({ ask: 'holdings', fresh, rows, cursor });
    fresh = false;
    talk.reached('holdings', cursor);
    talk.progress('holdings', Math.max(history.heads.holdings - seq, 0));
  }
}
