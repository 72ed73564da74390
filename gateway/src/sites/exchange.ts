import { MASTER_ID } from '../settings/sites.ts';
import type { Cursor, SiteMark } from '../store/sites.ts';
import type { Conversation } from './conversation.ts';
import { retryAside, takeDown } from './downward.ts';
import type { Guard } from './downward.ts';
import type { AnswerOf, Summary } from './requests.ts';
import type { Talk } from './talk.ts';
import { pushEvents, pushOffers } from './upward.ts';

export interface ExchangeParts {
  readonly talk: Talk;
  readonly conversation: Conversation;
  /** Keeps the token of the next login; when this returns it outlives a power loss. */
  readonly keep: (token: Uint8Array) => void;
  readonly summary: () => Promise<Summary>;
  /** The master's policies are in force here. */
  readonly adopt: (policies: AnswerOf<'open'>['policies']) => Promise<void>;
  /** Told when the master is older than what was got from it. */
  readonly lost: (master: string) => Promise<void>;
  /** Users may be removed, however many. */
  readonly released: boolean;
}

const CHECK_ROWS = 500;
const NONE: AnswerOf<'check'> = { missing: [], outside: [] };

/**
 * One whole exchange: what is new here goes up, then what is new at the master comes down; first what changed since the
 * last time, then, as far as it is not done, all that belongs here, newest first.
 * @returns how many users wait to be removed until somebody confirms it
 * @throws WhorlError SITES_*, STORE_*
 */
export async function exchange(parts: ExchangeParts): Promise<number> {
  const { talk } = parts;
  const { site } = talk.ground;
  const opened = await open(parts);
  talk.reached('users', opened.up.users);
  talk.reached('events', opened.up.events);
  if (opened.down.lost) await parts.lost(opened.name);
  await parts.adopt(opened.policies);
  await pushOffers(talk, opened.up);
  const users = await site.store.countUsers();
  const guard: Guard | undefined = parts.released ? undefined : { users, removed: 0, held: 0 };
  await retryAside(talk.ground, guard);
  await pushEvents(talk, opened.up);
  const walk = await begin(talk, opened);
  await pullChanges(talk, guard);
  await pullWalk(talk, walk, guard);
  await check(talk, guard);
  await parts.talk.ask({ ask: 'ended', summary: await parts.summary() });
  return guard?.held ?? 0;
}

async function open({ talk, keep, summary }: ExchangeParts): Promise<AnswerOf<'open'>> {
  const { site, name, version } = talk.ground;
  const down = (await site.store.sites.cursor(MASTER_ID, 'users')) ?? null;
  const { answer, blobs } = await talk.ask({
    ...{ ask: 'open', version, name, time: site.now, down },
    summary: await summary(),
  });
  const token = blobs[answer.token];
  if (token !== undefined) {
    keep(token);
    await talk.ask({ ask: 'kept' });
  }
  return answer;
}

/** Where the walk through all users stands; it begins anew with another scope, or with a master that lost something. */
async function begin(talk: Talk, { down, head, scope }: AnswerOf<'open'>): Promise<Cursor> {
  const { sites } = talk.ground.site.store;
  const [users, walk] = [await sites.cursor(MASTER_ID, 'users'), await sites.cursor(MASTER_ID, 'walk')];
  if (users !== undefined && walk?.run === scope && !down.lost) return walk;
  const next = { run: scope, seq: head.seq + 1 };
  const marks: SiteMark[] = [{ kind: 'cursor', peer: MASTER_ID, stream: 'walk', cursor: next }];
  if (users === undefined || down.lost)
    marks.push({ kind: 'cursor', peer: MASTER_ID, stream: 'users', cursor: head });
  if (down.lost)
    marks.push({ kind: 'cursor', peer: MASTER_ID, stream: 'check', cursor: { run: 'due', seq: 0 } });
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

async function pullWalk(talk: Talk, from: Cursor, guard: Guard | undefined): Promise<void> {
  const { ground, pace } = talk;
  let walk = from;
  while (walk.seq > 1) {
    const { answer, blobs } = await talk.ask({ ask: 'walk', before: walk.seq, bytes: pace.bytes });
    const { rows, cursor, left } = answer;
    walk = { run: from.run, seq: left === 0 ? 0 : cursor.seq };
    const also = [{ kind: 'cursor', peer: MASTER_ID, stream: 'walk', cursor: walk } as const];
    await takeDown(ground, { rows, blobs, also, guard });
    talk.progress('walk', left);
  }
}

/** Users whom a master that was restored has not any more are offered to it as new ones; those of other sites go. */
async function check(talk: Talk, guard: Guard | undefined): Promise<void> {
  const { sites } = talk.ground.site.store;
  for (;;) {
    const due = await sites.cursor(MASTER_ID, 'check');
    if (due?.run !== 'due') return;
    const users = await sites.baseUsers(due.seq, CHECK_ROWS);
    const last = users.at(-1);
    const cursor = last === undefined ? { run: 'done', seq: 0 } : { run: 'due', seq: last };
    const { missing, outside } =
      last === undefined ? NONE : (await talk.ask({ ask: 'check', users: [...users] })).answer;
    const again = missing.flatMap((user): SiteMark[] => [
      { kind: 'base', user, base: undefined },
      { kind: 'logged', user },
    ]);
    await takeDown(talk.ground, {
      rows: outside.map((user) => ({ is: 'gone', user, why: 'scope' })),
      ...{ blobs: [], guard },
      also: [...again, { kind: 'cursor', peer: MASTER_ID, stream: 'check', cursor }],
    });
    talk.progress('check', users.length);
  }
}
