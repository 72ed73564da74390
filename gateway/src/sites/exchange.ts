import { MASTER_ID } from '../settings/sites.ts';
import { LOST_VERSION } from '../store/sites.ts';
import type { Cursor, SiteBase, SiteMark } from '../store/sites.ts';
import type { Answered, Conversation } from './conversation.ts';
import { retryAside, takeDown } from './downward.ts';
import type { Guard } from './downward.ts';
import { resumeAt } from './history.ts';
import { pullLists } from './listing.ts';
import type { Pieces } from './listing.ts';
import type { AnswerOf, DownRow, Summary } from './requests.ts';
import { historyOf } from './serving.ts';
import type { Talk } from './talk.ts';
import { pushEvents, pushHoldings, pushOffers } from './upward.ts';

export interface ExchangeParts {
  readonly talk: Talk;
  readonly conversation: Conversation;
  /** Keeps the token of the next login; when this returns it outlives a power loss. */
  readonly keep: (token: Uint8Array) => void;
  readonly summary: () => Promise<Summary>;
  /** The master's policies are in force here. */
  readonly adopt: (policies: AnswerOf<'open'>['policies']) => Promise<void>;
  /** Told how much the master's clock is ahead, milliseconds. */
  readonly clock: (apartMs: number) => Promise<void>;
  /** Told when the master is older than what was got from it. */
  readonly lost: (master: string) => Promise<void>;
  /** Of files, from one exchange to the next. */
  readonly pieces: Pieces;
  /** Users may be removed, however many. */
  readonly released: boolean;
}

export interface Exchanged {
  /** How many users wait to be removed from now on, until somebody confirms it. */
  readonly held: number;
  /** Whether that was all; else another exchange is to go on at once. */
  readonly all: boolean;
}

const CHECK_ROWS = 500;
const GONE_ROWS = 500;
const NONE: AnswerOf<'check'> = { missing: [], deleted: [], older: [], erased: [], outside: [] };

/**
 * One whole exchange: what is new here goes up, then what is new at the master comes down; first what changed since the
 * last time, then, as far as it is not done, all that belongs here, newest first.
 * @throws WhorlError SITES_*, STORE_*
 */
export async function exchange(parts: ExchangeParts): Promise<Exchanged> {
  const { talk } = parts;
  const { site } = talk.ground;
  const opened = await open(parts);
  talk.reached('users', opened.up.users);
  talk.reached('events', opened.up.events);
  talk.reached('holdings', opened.up.holdings);
  const users = await site.store.countUsers();
  const guard: Guard | undefined = parts.released ? undefined : { users, removed: 0, held: 0 };
  const lost = opened.down.lost || (await hasForgotten(talk, opened.up));
  if (lost) {
    await parts.lost(opened.name);
    await remind(talk);
    await findLost(talk);
  }
  await parts.adopt(opened.policies);
  const back = await isBack(talk, opened.up);
  if (back) await talk.ask({ ask: 'back' });
  // Either way the master does not know who is here, and both compare that.
  if (!lost && (back || opened.up.users === null)) await doubt(site.store);
  await pushOffers(talk, opened.up);
  await retryAside(talk.ground, guard);
  await pushEvents(talk, opened.up);
  const walk = await begin(talk, opened, lost);
  await pullChanges(talk, guard);
  await pullWalk(talk, walk, guard);
  await check(talk, guard);
  site.complete();
  await pushHoldings(talk, opened.up);
  const all = await pullLists(talk, parts.pieces);
  await parts.talk.ask({ ask: 'ended', summary: await parts.summary() });
  return { held: guard?.held ?? 0, all };
}

async function open({ talk, keep, summary, clock }: ExchangeParts): Promise<AnswerOf<'open'>> {
  const { site, name, version, protocol } = talk.ground;
  const down = (await site.store.sites.cursor(MASTER_ID, 'users')) ?? null;
  const { answer, blobs, ms } = await talk.ask({
    ...{ ask: 'open', protocol, version, name, time: site.now, down },
    summary: await summary(),
  });
  await clock(answer.time + ms / 2 - site.now);
  const token = blobs[answer.token];
  if (token !== undefined) {
    keep(token);
    await talk.ask({ ask: 'kept' });
  }
  return answer;
}

/** Whether the master knows less of the log here than it had said that it has got. */
async function hasForgotten({ ground }: Talk, { users }: AnswerOf<'open'>['up']): Promise<boolean> {
  const offered = await ground.site.store.sites.cursor(MASTER_ID, 'offered');
  if (users === null || offered === undefined) return false;
  const { seq, lost } = resumeAt(await historyOf(ground), 'users', users);
  return !lost && seq < offered.seq;
}

/** A master that went back to a backup has users again whom it had deleted. */
async function remind(talk: Talk): Promise<void> {
  for (let after = 0; ;) {
    const rows = await talk.ground.site.store.sites.gone(after, GONE_ROWS);
    const last = rows.at(-1);
    if (last === undefined) return;
    await talk.ask({ ask: 'gone', rows: [...rows] });
    after = last.user;
  }
}

async function doubt({ sites }: Talk['ground']['site']['store']): Promise<void> {
  if ((await sites.cursor(MASTER_ID, 'users')) === undefined) return;
  await sites.mark([{ kind: 'cursor', peer: MASTER_ID, stream: 'check', cursor: { run: 'doubt', seq: 0 } }]);
}

/** A master that is further than what there is here had it from a database that a backup took the place of. */
async function isBack({ ground }: Talk, up: AnswerOf<'open'>['up']): Promise<boolean> {
  const history = await historyOf(ground);
  return (
    resumeAt(history, 'users', up.users ?? undefined).lost ||
    resumeAt(history, 'events', up.events ?? undefined).lost
  );
}

/** Where the walk through all users stands; it begins anew with another scope, or with a master that lost something. */
async function begin(talk: Talk, { head, scope, down }: AnswerOf<'open'>, lost: boolean): Promise<Cursor> {
  const { sites } = talk.ground.site.store;
  const [users, walk] = [await sites.cursor(MASTER_ID, 'users'), await sites.cursor(MASTER_ID, 'walk')];
  if (users !== undefined && walk?.run === scope && !lost) return walk;
  const next = { run: scope, seq: head.seq + 1 };
  const marks: SiteMark[] = [{ kind: 'cursor', peer: MASTER_ID, stream: 'walk', cursor: next }];
  // A master that lost only what it was told goes on in its log: on the walk, a version of who had a number before hides who has it.
  if (users === undefined || down.lost)
    marks.push({ kind: 'cursor', peer: MASTER_ID, stream: 'users', cursor: head });
  await sites.mark(marks);
  return next;
}

async function pullChanges(talk: Talk, guard: Guard | undefined): Promise<void> {
  const { ground, pace } = talk;
  for (;;) {
    const after = await ground.site.store.sites.cursor(MASTER_ID, 'users');
    if (after === undefined) return;
    const { answer, blobs } = await talk.ask({ ask: 'users', after, bytes: pace.bytes });
    const { rows, cursor, left } = answer;
    const also = [{ kind: 'cursor', peer: MASTER_ID, stream: 'users', cursor } as const];
    if (rows.length > 0 || cursor.seq !== after.seq || cursor.run !== after.run)
      await takeDown(ground, { rows, blobs, also, guard });
    talk.progress('users', left);
    if (left === 0) return;
  }
}

/** The next page comes while one is stored. */
async function pullWalk(talk: Talk, from: Cursor, guard: Guard | undefined): Promise<void> {
  const { ground, pace } = talk;
  let stored = from.seq;
  const ask = (before: number): Promise<Answered<'walk'> | undefined> =>
    before > 1 ? talk.ask({ ask: 'walk', before, stored, bytes: pace.bytes }) : Promise.resolve(undefined);
  let coming = ask(from.seq);
  for (;;) {
    const page = await coming;
    if (page === undefined) return;
    const { rows, cursor, left } = page.answer;
    const walk = { run: from.run, seq: left === 0 ? 0 : cursor.seq };
    coming = ask(walk.seq);
    // Whoever waits for it hears of it, if it fails; when this page fails, nobody waits.
    coming.catch(() => undefined);
    const also = [{ kind: 'cursor', peer: MASTER_ID, stream: 'walk', cursor: walk } as const];
    await takeDown(ground, { rows, blobs: page.blobs, also, guard });
    stored = walk.seq;
    talk.progress('walk', left);
  }
}

/**
 * A master went back to a backup. Whom it has not any more is offered to it as a new one; whom it has as they were before
 * is compared when they come. Known before anything is offered; nobody goes before everything is.
 */
async function findLost(talk: Talk): Promise<void> {
  const { sites } = talk.ground.site.store;
  for (let after = 0; ;) {
    const page = await checked(talk, after);
    if (page === undefined) break;
    const { missing, older } = page.answer;
    await sites.mark([
      ...missing.flatMap((user): SiteMark[] => [
        { kind: 'base', user, base: undefined },
        { kind: 'logged', user },
      ]),
      ...older.flatMap((user): SiteMark[] => {
        const base = page.bases.get(user);
        return base === undefined ? [] : [{ kind: 'base', user, base: { ...base, version: LOST_VERSION } }];
      }),
    ]);
    after = page.last;
  }
  await sites.mark([{ kind: 'cursor', peer: MASTER_ID, stream: 'check', cursor: { run: 'found', seq: 0 } }]);
}

/** Whom the master has not any more goes, and so do those of other sites. */
async function check(talk: Talk, guard: Guard | undefined): Promise<void> {
  const { sites } = talk.ground.site.store;
  for (;;) {
    const due = await sites.cursor(MASTER_ID, 'check');
    if (due === undefined || due.run === 'done') return;
    const page = await checked(talk, due.seq);
    const { missing, deleted, erased, outside } = page?.answer ?? NONE;
    const cursor = page === undefined ? { run: 'done', seq: 0 } : { run: due.run, seq: page.last };
    const gone = (who: readonly number[], why: 'deleted' | 'erased' | 'scope'): DownRow[] =>
      who.map((user) => ({ is: 'gone', user, why }));
    await takeDown(talk.ground, {
      rows: [
        // Of a master that was restored, they were offered to it.
        ...gone(due.run === 'found' ? [] : missing, 'deleted'),
        ...deleted.map(([user, proven, at]): DownRow => ({ is: 'gone', user, why: 'deleted', proven, at })),
        ...gone(erased, 'erased'),
        ...gone(outside, 'scope'),
      ],
      ...{ blobs: [], guard },
      also: [{ kind: 'cursor', peer: MASTER_ID, stream: 'check', cursor }],
    });
  }
}

interface Checked {
  readonly answer: AnswerOf<'check'>;
  readonly bases: ReadonlyMap<number, SiteBase>;
  /** Highest number of the page. */
  readonly last: number;
}

/** What the master says of a page of users; `undefined` behind the last. */
async function checked(talk: Talk, after: number): Promise<Checked | undefined> {
  const { sites } = talk.ground.site.store;
  const users = await sites.baseUsers(after, CHECK_ROWS);
  const last = users.at(-1);
  if (last === undefined) return undefined;
  const bases = await sites.bases(users);
  const named = users.map((user): [number, string, string] => {
    const { born = '', at = '' } = bases.get(user) ?? {};
    return [user, born, at];
  });
  const { answer } = await talk.ask({ ask: 'check', users: named });
  talk.progress('check', users.length);
  return { answer, bases, last };
}
