import type { Change, SiteMark } from '../store/sites.ts';
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
  let { seq } = resumeAt(await historyOf(talk.ground), 'users', up.users ?? undefined);
  let told = seq;
  for (;;) {
    const changes = await sites.changes(seq, MOST_ROWS);
    const { offers, last } = await collect(talk, changes);
    const history = await historyOf(talk.ground);
    // Where there was nothing to offer, the master is told once, at the end, that it need not be looked at again.
    const cursor = cursorAt(history, 'users', last ?? seq);
    if (offers.length > 0 || (last === undefined && told < seq)) {
      const { answer } = await talk.ask(
        { ask: 'offers', rows: offers.map(({ row }) => row), cursor },
        offers.flatMap(({ blobs }) => blobs),
      );
      const outcomes = new Map(answer.results.map(({ user, outcome }) => [user, outcome]));
      for (const offer of offers) await settle(talk, offer, outcomes.get(offer.row.user) ?? 'failed');
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
): Promise<{ readonly offers: readonly Offered[]; readonly last: number | undefined }> {
  const { store } = ground.site;
  const bases = await store.sites.bases(changes.map(({ user }) => user));
  const offers: Offered[] = [];
  let [bytes, blobs] = [0, 0];
  let last: number | undefined;
  for (const { user, seq } of changes) {
    if (bytes >= pace.bytes) break;
    const mine = { site: ground.name, user, held: await store.user(user), base: bases.get(user) };
    const offered = offerOf({ ...mine, conflicts: await store.conflictsOf(user) }, blobs);
    if (offered !== undefined) {
      offers.push(offered);
      bytes += offered.bytes;
      blobs += offered.blobs.length;
    }
    last = seq;
  }
  return { offers, last };
}

/** Remembers that the master has heard of it; conflicts that it decides from now on are closed here. */
async function settle(talk: Talk, offer: Offered, outcome: Outcome): Promise<void> {
  if (outcome === 'failed') return;
  const { store, now } = { store: talk.ground.site.store, now: talk.ground.site.now };
  const { user } = offer.row;
  const held = await store.user(user);
  if (held === undefined) return;
  const base = (await store.sites.bases([user])).get(user) ?? emptyBase(offer.version);
  const mark: SiteMark = {
    kind: 'base',
    user,
    base: { ...base, offered: Math.max(base.offered, offer.version), apart: outcome === 'apart' },
  };
  await store.saveUser({
    ...{ user, from: held.version, next: held, ledger: [], events: [], time: now, sites: [mark] },
    conflicts: offer.handed.map((conflict) => {
      const { event: _, ...write } = resolved(conflict, { state: 'ours', now });
      return write;
    }),
  });
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
