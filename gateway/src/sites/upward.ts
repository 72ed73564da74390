import type { SiteMark } from '../store/sites.ts';
import type { StoredUser } from '../store/store.ts';
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
  const { store } = talk.ground.site;
  const begun = await historyOf(talk.ground);
  let { seq } = resumeAt(begun, 'users', up.users ?? undefined);
  for (;;) {
    const changes = await store.sites.changes(seq, MOST_ROWS);
    const users = changes.map(({ user }) => user);
    const bases = await store.sites.bases(users);
    const offers: Offered[] = [];
    const held = new Map<number, StoredUser | undefined>();
    let bytes = 0;
    let upTo = seq;
    for (const change of changes) {
      if (bytes > 0 && bytes >= talk.pace.bytes) break;
      const { user } = change;
      const mine = await store.user(user);
      held.set(user, mine);
      const offered = offerOf(
        {
          ...{ site: talk.ground.name, user, held: mine, base: bases.get(user) },
          conflicts: await store.conflictsOf(user),
        },
        offers.reduce((sum, one) => sum + one.blobs.length, 0),
      );
      if (offered !== undefined) {
        offers.push(offered);
        ({ bytes } = { bytes: bytes + offered.bytes });
      }
      upTo = change.seq;
    }
    const history = await historyOf(talk.ground);
    if (changes.length === 0) return;
    seq = upTo;
    talk.progress('offers', await store.sites.countChanges(seq, history.heads.users));
    if (offers.length === 0) continue;
    const { answer } = await talk.ask(
      { ask: 'offers', rows: offers.map(({ row }) => row), cursor: cursorAt(history, 'users', seq) },
      offers.flatMap(({ blobs }) => blobs),
    );
    const outcomes = new Map(answer.results.map(({ user, outcome }) => [user, outcome]));
    for (const offer of offers) await settle(talk, offer, outcomes.get(offer.row.user) ?? 'failed');
  }
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
    talk.progress('events', Math.max(history.heads.events - seq, 0));
  }
}
