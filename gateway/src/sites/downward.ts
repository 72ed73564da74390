import { codeOf, textOf, WhorlError } from '@whorl/protocol';
import { MASTER_ID } from '../settings/sites.ts';
import type { SiteBase, SiteMark } from '../store/sites.ts';
import type { StoredUser, UserChange } from '../store/store.ts';
import { eraseUser } from '../sync/erasure.ts';
import { isTooMuch } from '../sync/preview.ts';
import { MOST_RACES, eventFor, planFor } from '../sync/users.ts';
import type { SitesGround } from './ground.ts';
import { cameDown, hasUnsent, integrated, notTaken } from './integrating.ts';
import type { UserRow } from './integrating.ts';
import { fitting } from './login-words.ts';
import { readMessage, writeMessage } from './message.ts';
import { rowSchema } from './requests.ts';
import type { DownRow } from './requests.ts';

// A satellite takes what its master sends down.

/** How many users the master may have removed here unasked. */
export interface Guard {
  /** Users before the exchange. */
  readonly users: number;
  removed: number;
  /** Who stays from this exchange on, until somebody confirms it. */
  held: number;
}

export interface Coming {
  readonly rows: readonly DownRow[];
  readonly blobs: readonly Uint8Array[];
  /** Stored with them. */
  readonly also: readonly SiteMark[];
  /** `undefined` when somebody has confirmed it. */
  readonly guard: Guard | undefined;
}

/** The code of who stays until somebody confirms that many are removed. */
const GUARD_EXCEEDED = 'GUARD_EXCEEDED';

interface Step {
  readonly change?: UserChange;
  readonly marks: readonly SiteMark[];
  readonly erase?: number;
}

/** Integrates rows and what is remembered of them in one transaction; a row that fails, or has to wait, is set aside. */
export async function takeDown(ground: SitesGround, coming: Coming): Promise<void> {
  const { site } = ground;
  const { store } = site;
  for (let race = 0; race < MOST_RACES; race += 1) {
    const guard = coming.guard === undefined ? undefined : { ...coming.guard };
    const bases = await store.sites.bases(coming.rows.map(({ user }) => user));
    // Asked together: the store's thread answers all of it at once. Nobody comes twice in a page.
    const steps = await Promise.all(coming.rows.map((row) => stepOf(ground, coming, { row, bases, guard })));
    // Erasing destroys keys beside the backups as well, so it cannot be undone with the others; again it does nothing.
    for (const { erase } of steps) if (erase !== undefined) await erased(ground, erase);
    const marks = [...steps.flatMap((step) => step.marks), ...coming.also];
    const changes = steps.flatMap(({ change }) => change ?? []);
    const last = changes.pop();
    if (last === undefined) await store.sites.mark(marks);
    else {
      const events = await store.saveUsers([...changes, { ...last, sites: marks }]);
      if (events === undefined) continue;
      site.publish(events);
      site.wake();
    }
    if (coming.guard !== undefined && guard !== undefined) Object.assign(coming.guard, guard);
    return;
  }
  throw new WhorlError(
    'USER_CHANGED',
    'users that came from the master are being changed by others without a pause',
  );
}

const ASIDE_ROWS = 200;

/** Tries again what was set aside. @param guard `undefined` when somebody has confirmed that many are removed */
export async function retryAside(ground: SitesGround, guard: Guard | undefined): Promise<void> {
  // Else with each exchange as many as the guard lets pass would go, until nobody is left.
  const but = guard === undefined ? undefined : GUARD_EXCEEDED;
  for (let after = 0; ;) {
    const waiting = { by: 'user', peer: MASTER_ID, after, but, limit: ASIDE_ROWS } as const;
    const page = await ground.site.store.sites.aside(waiting);
    for (const { bytes } of page) {
      const { body, blobs } = readMessage(bytes);
      const rows = [fitting(rowSchema, body, 'what was set aside')];
      await takeDown(ground, { rows, blobs, also: [], guard });
    }
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.user;
  }
}

interface One {
  readonly row: DownRow;
  readonly bases: ReadonlyMap<number, SiteBase>;
  readonly guard: Guard | undefined;
}

async function stepOf(ground: SitesGround, { blobs }: Coming, one: One): Promise<Step> {
  const { row } = one;
  const blob = row.is === 'user' ? (blobs[row.blob] ?? new Uint8Array()) : undefined;
  const held = await ground.site.store.user(row.user);
  try {
    const base = one.bases.get(row.user);
    const step =
      row.is === 'gone'
        ? await leaving(ground, { row, held, base, guard: one.guard })
        : await arriving(ground, { row, held, base, bytes: blob ?? new Uint8Array() });
    return { ...step, marks: [{ kind: 'settled', peer: MASTER_ID, user: row.user }, ...step.marks] };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || code.startsWith('STORE_')) throw error;
    return { marks: [asideOf(row, blob, { code, reason: textOf(error), since: ground.site.now })] };
  }
}

/** @throws WhorlError SITES_WAIT */
async function arriving(
  { site, name }: SitesGround,
  it: { row: UserRow; held: StoredUser | undefined; base: SiteBase | undefined; bytes: Uint8Array },
): Promise<Step> {
  const { row, held } = it;
  const { user } = row;
  const came = integrated({ site: name, ...it });
  if ('waits' in came) throw new WhorlError('SITES_WAIT', `user ${user}: ${came.waits}`);
  const { next, untaken = [] } = came;
  const mark = { kind: 'base', user, base: came.base } as const;
  // An older one than before: a master that was restored is offered what it has lost.
  const again: SiteMark[] = row.version < (it.base?.version ?? 0) ? [{ kind: 'logged', user }] : [];
  if (next === undefined) return { marks: [] };
  // A user that stays as it is needs no new version; what the base says of it is stored with the others.
  if (next === held) return { marks: [mark, ...again] };
  const ledger = await planFor(site, user, next.record, next.version);
  const events = [cameDown(user, held, next, site.now)];
  const handed = untaken.length === 0 ? 0 : await offeredUpTo(site.store);
  const conflicts =
    held === undefined
      ? []
      : untaken.map((field) => notTaken({ site: name, held, field }, next, { handed, now: site.now }));
  return {
    change: { user, from: held?.version ?? 0, next, ledger, conflicts, events, time: site.now },
    marks: [mark, ...again],
  };
}

async function offeredUpTo({ sites }: SitesGround['site']['store']): Promise<number> {
  return (await sites.cursor(MASTER_ID, 'offered'))?.seq ?? 0;
}

/** @throws WhorlError SITES_WAIT, GUARD_EXCEEDED */
async function leaving(
  { site }: SitesGround,
  it: {
    row: Extract<DownRow, { is: 'gone' }>;
    held: StoredUser | undefined;
    base: SiteBase | undefined;
    guard: Guard | undefined;
  },
): Promise<Step> {
  const { held, base, guard } = it;
  const { user, why } = it.row;
  if (held === undefined) return { marks: [] };
  const gone = goneMarks(it.row, base, site.now);
  if (why === 'erased') return { erase: user, marks: gone };
  if (hasUnsent(held, base))
    throw new WhorlError('SITES_WAIT', `user ${user}: what was changed here has not been offered yet`);
  if (guard !== undefined) {
    if (isTooMuch(guard.removed + 1, guard.users, site.settings)) {
      guard.held += 1;
      throw new WhorlError(GUARD_EXCEEDED, `the master would have more than ${guard.removed} users removed`);
    }
    guard.removed += 1;
  }
  const ledger = await planFor(site, user, undefined, held.version + 1);
  return {
    change: {
      ...{ user, from: held.version, next: undefined, deletedBy: 'master', ledger, time: site.now },
      events: [eventFor(site, user, held, undefined)],
    },
    marks: gone,
  };
}

/** Whom the master has deleted is remembered, for a master that forgets it. */
function goneMarks(
  { user, why, proven, at }: Extract<DownRow, { is: 'gone' }>,
  base: SiteBase | undefined,
  now: number,
): readonly SiteMark[] {
  if (why === 'scope' || base === undefined || proven?.startsWith(`${base.born} `) !== true) return [];
  return [{ kind: 'gone', gone: { user, born: proven, time: at ?? now, erased: why === 'erased' } }];
}

async function erased(ground: SitesGround, user: number): Promise<void> {
  await eraseUser(ground.site, user, 'master');
}

function asideOf(
  row: DownRow,
  blob: Uint8Array | undefined,
  why: { readonly code: string; readonly reason: string; readonly since: number },
): SiteMark {
  const body = row.is === 'user' ? { ...row, blob: 0 } : row;
  const bytes = writeMessage({ body, blobs: blob === undefined ? [] : [blob] });
  return { kind: 'aside', row: { peer: MASTER_ID, user: row.user, bytes, ...why } };
}
