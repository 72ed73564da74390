import { hash } from 'node:crypto';
import { sleep } from '@whorl/protocol';
import type { LedgerRow } from '../store/store.ts';
import { pendingRow, planLedger } from './plan.ts';
import { effectOf, Tally } from './preview.ts';
import type { Preview, PreviewPage } from './preview.ts';
import type { Scope } from './scope.ts';
import type { Site } from './site.ts';
import { releaseTaken } from './taken.ts';

const PAGE = 500;
/** Which scope the ledger was last brought in line with. */
const IN_LINE = 'rescope.done';
/** `fingerprint user`: how far the work under way has come. */
const UNDER_WAY = 'rescope.cursor';
/** Which scope may be applied whatever it removes. */
const ALLOWED = 'rescope.allowed';
/** Which scope was told to be held back. */
const HELD = 'rescope.held';

/** What becomes of the ledger rows of some users. */
interface Step {
  readonly before: readonly LedgerRow[];
  readonly planned: readonly LedgerRow[];
  /** All users up to here are done; absent for those who are not users any more. */
  readonly last?: number;
}

/** What a scope would change at the terminals. */
export async function previewScope(
  site: Site,
  scope: Scope,
  change: string,
  page: PreviewPage,
): Promise<Preview> {
  const tally = new Tally(page);
  for await (const step of steps(site, scope, 0)) count(tally, step);
  return tally.preview(change, site.settings);
}

/**
 * Lets the next scope be applied whatever it removes; asked for before the settings change, so that it is known also
 * after a crash in between.
 */
export function allowScope(site: Site, scope: Scope): Promise<void> {
  return site.store.saveNote(ALLOWED, fingerprintOf(scope));
}

/**
 * Brings the ledger of every user in line with the setting and the terminals, a page of users at a time; goes on after
 * a restart where it was, and does nothing when all is in line. A scope that nobody allowed, such as one that an edited
 * configuration makes, is held back when it removes more than the guard lets pass.
 * @throws WhorlError STORE_*
 */
export async function rescope(site: Site, signal: AbortSignal): Promise<void> {
  const fingerprint = fingerprintOf(site.scope);
  await releaseTaken(site, site.scope.autoSync);
  if ((await site.store.note(IN_LINE)) === fingerprint) return;
  const after = await resumeAt(site, fingerprint);
  if (after === undefined && (await isHeld(site, fingerprint))) return;
  const tally = new Tally();
  for await (const step of steps(site, site.scope, after ?? 0)) {
    if (signal.aborted || fingerprintOf(site.scope) !== fingerprint) return;
    await site.store.writeLedger(step.planned);
    if (step.last !== undefined) await site.store.saveNote(UNDER_WAY, `${fingerprint} ${step.last}`);
    count(tally, step);
    if (step.planned.length > 0) site.wake();
  }
  if (signal.aborted || fingerprintOf(site.scope) !== fingerprint) return;
  await site.store.saveNote(IN_LINE, fingerprint);
  for (const note of [UNDER_WAY, ALLOWED, HELD]) await site.store.saveNote(note, undefined);
  if (tally.counts.size > 0)
    await site.tell({
      type: 'scope.applied',
      time: site.now,
      origin: 'gateway',
      data: { terminals: Object.fromEntries(tally.counts) },
    });
}

/** Told once for each scope. */
async function isHeld(site: Site, fingerprint: string): Promise<boolean> {
  if ((await site.store.note(ALLOWED)) === fingerprint) return false;
  const { guarded, terminals } = await previewScope(site, site.scope, fingerprint, { limit: 0 });
  if (!guarded) return false;
  if ((await site.store.note(HELD)) === fingerprint) return true;
  await site.store.saveNote(HELD, fingerprint);
  const counts = terminals.map(({ terminal, users: _, ...rest }) => [terminal, rest] as const);
  site.log.warn(
    { terminals: counts.map(([terminal, { removed }]) => ({ terminal, removed })) },
    'the configuration would remove many users from terminals, so that is not done; `whorl scope apply --dry-run` says who',
  );
  await site.tell({
    type: 'scope.held',
    time: site.now,
    origin: 'gateway',
    data: { terminals: Object.fromEntries(counts) },
  });
  return true;
}

async function* steps(site: Site, scope: Scope, from: number): AsyncGenerator<Step> {
  for (let after = from; ;) {
    const users = await site.store.users({ after, limit: PAGE });
    const last = users.at(-1);
    if (last === undefined) break;
    const before = await site.store.ledgerOf(users.map((user) => user.id));
    const rows = Map.groupBy(before, (row) => row.user);
    const planned = users.flatMap(({ id, groups, version }) =>
      planLedger({ user: id, groups, version, rows: rows.get(id) ?? [], ...scope, now: site.now }),
    );
    yield { before, planned, last: last.id };
    after = last.id;
    // Requests and lines are waiting; a page of users takes milliseconds.
    if (users.length === PAGE) await sleep(site.clock, 0);
  }
  if (scope.autoSync !== 'off') yield* leftovers(site);
}

/** Users who were deleted while nothing went out by itself. */
async function* leftovers(site: Site): AsyncGenerator<Step> {
  let after: { user: number; terminal: string } | undefined;
  for (;;) {
    const rows = await site.store.ledger({
      state: 'withheld',
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    const last = rows.at(-1);
    if (last === undefined) return;
    const versions = await site.store.versions.of(rows.map(({ user }) => user));
    const before = rows.filter((row) => row.want === 'absent' && !versions.has(row.user));
    const planned = before.map((row) => pendingRow({ ...row, now: site.now }, row.terminal, 'absent'));
    yield { before, planned };
    after = { user: last.user, terminal: last.terminal };
  }
}

function count(tally: Tally, { before, planned }: Step): void {
  const rows = new Map(before.map((row) => [`${row.user} ${row.terminal}`, row]));
  for (const row of before) if (row.want === 'present' && row.state !== 'withheld') tally.held(row.terminal);
  for (const row of planned) {
    const effect = effectOf(rows.get(`${row.user} ${row.terminal}`), row);
    if (effect !== undefined) tally.add(effect);
  }
}

async function resumeAt(site: Site, fingerprint: string): Promise<number | undefined> {
  const [of, user] = ((await site.store.note(UNDER_WAY)) ?? '').split(' ');
  return of === fingerprint ? Number(user) : undefined;
}

/** Tells one scope from another. */
export function fingerprintOf({ autoSync, places }: Scope): string {
  const reach = places
    .filter(({ portable }) => !portable)
    .map((place) => [place.terminal, [...place.groups].sort((a, b) => a - b)]);
  return hash('sha256', JSON.stringify([autoSync, reach]), 'base64url');
}
