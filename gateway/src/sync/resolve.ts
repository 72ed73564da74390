import type { LedgerRow } from '../store/store.ts';
import type { Comparison, TerminalDriver } from '../terminals/driver.ts';
import type { Tombstone } from '../store/tombstones.ts';
import { fieldsThatDiffer, lookAt } from './compare.ts';
import type { FieldDifference, Looked } from './compare.ts';
import { pendingRow } from './plan.ts';
import { guard, Tally } from './preview.ts';
import type { Confirmation, EffectKind, Preview, PreviewPage } from './preview.ts';
import { groupsOf, inScope, takesUpdates } from './scope.ts';
import type { Site } from './site.ts';

/**
 * Whose side is taken where a terminal differs. gateway: what differs or is missing is sent, who is only there is
 * removed. terminal: what it holds is taken, fields that it lacks are not cleared, who is missing stays deleted there.
 * both: as gateway, but who is only there is fetched, where terminals may add users.
 */
export type Side = 'gateway' | 'terminal' | 'both';

export interface CompareOptions extends Confirmation, PreviewPage {
  /** Absent to look only. */
  readonly take?: Side | undefined;
  /** Only these; all when not given. */
  readonly users?: readonly number[] | undefined;
  /** Only says what would be done. */
  readonly dryRun?: boolean | undefined;
  /** Also says in which fields users differ, of the first so many. */
  readonly fieldsOf?: number | undefined;
}

/** How a terminal stands to what it should hold, and what was, or would be, done about it. */
export interface CompareReport extends Comparison {
  readonly terminal: string;
  /** Users who are, or would be, sent to it. */
  readonly pushed: number;
  /** Fetched from it. */
  readonly pulled: number;
  readonly removed: number;
  /** Somebody else has these ids there; their conflicts are in the inbox. */
  readonly heldApart: readonly number[];
  /** Of those who are only there, who was deleted here, when, and by whom: not fetched, but removed there again. */
  readonly deleted: readonly Pick<Tombstone, 'user' | 'time' | 'by' | 'how'>[];
  readonly fields?: readonly FieldDifference[];
  /** Of a dry run. */
  readonly preview?: Preview;
}

interface Plan {
  readonly ledger: readonly LedgerRow[];
  readonly pulls: readonly number[];
  /** Of the pulls, who is fetched only to be told from somebody else, and then removed. */
  readonly returned: ReadonlySet<number>;
}

/**
 * Compares a terminal, and resolves differences as a person wants it.
 * @throws WhorlError TERMINAL_OFFLINE, GUARD_EXCEEDED, GUARD_CHANGED, EXCHANGE_*, LINE_CLOSED, ABORTED, STORE_*
 */
export async function compareTerminal(
  site: Site,
  driver: TerminalDriver,
  options: CompareOptions & { readonly signal: AbortSignal },
): Promise<CompareReport> {
  const looked = await lookAt(site, driver, { signal: options.signal });
  const { comparison, heldApart } = apart(looked);
  const wanted = only(comparison, options.users);
  const deleted = await deletedOf(site, wanted.extra);
  const plan = await planOf(site, driver.name, { ...looked, comparison: wanted, deleted }, options.take);
  const preview = previewOf(site, driver.name, comparison, plan, options);
  const differing = wanted.different.slice(0, options.fieldsOf ?? 0);
  const report = {
    terminal: driver.name,
    ...wanted,
    ...countsOf(plan),
    heldApart,
    deleted: [...deleted.values()].map(({ user, time, by, how }) => ({ user, time, by, how })),
    ...(options.fieldsOf === undefined
      ? {}
      : { fields: await fieldsThatDiffer(site, driver, differing, options.signal) }),
  };
  if (options.dryRun === true) return { ...report, preview };
  if (plan.ledger.length + plan.pulls.length === 0) return report;
  guard(preview, options);
  await settle(site, driver.name, report, plan, options.take);
  return report;
}

/** Those who were deleted here and are no users again. */
async function deletedOf(site: Site, extra: readonly number[]): Promise<ReadonlyMap<number, Tombstone>> {
  const versions = await site.store.versions.of(extra);
  return site.store.tombstones.of(extra.filter((user) => !versions.has(user)));
}

/** Who has an id that is somebody else's here is neither sent nor removed. */
function apart({ comparison, rows }: Looked): { comparison: Comparison; heldApart: readonly number[] } {
  const isApart = (user: number): boolean => rows.get(user)?.reason === 'two-people';
  const heldApart = comparison.extra.filter(isApart);
  return {
    comparison: { ...comparison, extra: comparison.extra.filter((user) => !isApart(user)) },
    heldApart,
  };
}

function only(comparison: Comparison, users: readonly number[] | undefined): Comparison {
  if (users === undefined) return comparison;
  const wanted = new Set(users);
  const some = (ids: readonly number[]): readonly number[] => ids.filter((id) => wanted.has(id));
  return {
    same: comparison.same,
    different: some(comparison.different),
    missing: some(comparison.missing),
    extra: some(comparison.extra),
  };
}

async function planOf(
  site: Site,
  terminal: string,
  looked: Pick<Looked, 'comparison' | 'rows'> & { readonly deleted: ReadonlyMap<number, Tombstone> },
  take: Side | undefined,
): Promise<Plan> {
  const { comparison, rows, deleted } = looked;
  const returned: ReadonlySet<number> = new Set();
  const { different, missing, extra } = comparison;
  const sent = (users: readonly number[]): LedgerRow[] =>
    users.flatMap((user) => {
      const row = rows.get(user);
      return row === undefined ? [] : [pendingRow({ ...row, now: site.now }, terminal, 'present')];
    });
  switch (take) {
    case undefined:
      return { ledger: [], pulls: [], returned };
    case 'both': {
      const fetched = extra.filter((user) => rows.get(user)?.want !== 'absent');
      return {
        ledger: sent([...different, ...missing]),
        pulls: fetched.filter((user) => takesUpdates(site.settings.autoSync) || deleted.has(user)),
        returned: new Set(deleted.keys()),
      };
    }
    case 'gateway': {
      const ledger = sent([...different, ...missing]);
      for (const user of extra) ledger.push(await rightOf(site, terminal, user));
      return { ledger, pulls: [], returned };
    }
    case 'terminal':
      return {
        ledger: missing.flatMap((user) => leftOut(rows.get(user))),
        pulls: [...different, ...extra],
        returned: new Set([...deleted.values()].flatMap(({ user, how }) => (how === 'erased' ? [user] : []))),
      };
  }
}

/** Who is there and was not expected: removed, unless the gateway has such a user and they belong there. */
async function rightOf(site: Site, terminal: string, user: number): Promise<LedgerRow> {
  const held = await site.store.user(user);
  const place = site.places.find((one) => one.terminal === terminal);
  const belongs =
    held !== undefined &&
    place !== undefined &&
    inScope(site.settings.autoSync, groupsOf(held.record), place);
  const about = { user, version: held?.version ?? 0, now: site.now };
  return pendingRow(about, terminal, belongs ? 'present' : 'absent');
}

/** Who was never there is on the way, and not missed by people there. */
function leftOut(row: LedgerRow | undefined): LedgerRow[] {
  if (row === undefined || (row.delivered ?? 0) === 0) return [];
  const { user, terminal, want } = row;
  return [
    { user, terminal, want, state: 'withheld', version: 0, attempts: 0, reason: 'deleted-at-terminal' },
  ];
}

function previewOf(
  site: Site,
  terminal: string,
  { same, different, missing, extra }: Comparison,
  plan: Plan,
  options: CompareOptions,
): Preview {
  const tally = new Tally(options);
  tally.held(terminal, same + different.length + extra.length);
  const there = new Set([...different, ...extra]);
  const gone = new Set(missing);
  const effects = new Map<number, EffectKind>(
    plan.pulls.map((user) => [user, plan.returned.has(user) ? 'removed' : 'fetched']),
  );
  for (const row of plan.ledger) {
    const sent = there.has(row.user) ? 'overwritten' : 'added';
    const left = row.state === 'withheld' && gone.has(row.user);
    effects.set(row.user, left ? 'left' : row.want === 'absent' ? 'removed' : sent);
  }
  for (const [user, effect] of [...effects].sort(([a], [b]) => a - b)) tally.add({ user, terminal, effect });
  return tally.preview(`compare ${terminal} ${options.take ?? ''}`, site.settings);
}

function countsOf({ ledger, pulls, returned }: Plan): { pushed: number; pulled: number; removed: number } {
  return {
    pushed: ledger.filter((row) => row.want === 'present' && row.state === 'pending').length,
    pulled: pulls.filter((user) => !returned.has(user)).length,
    removed:
      ledger.filter((row) => row.want === 'absent').length +
      pulls.filter((user) => returned.has(user)).length,
  };
}

async function settle(
  site: Site,
  terminal: string,
  { same, different, missing, extra, pushed, pulled }: CompareReport,
  plan: Plan,
  take: Side | undefined,
): Promise<void> {
  const counts = { same, different: different.length, missing: missing.length, extra: extra.length };
  const events = await site.store.settleComparison({
    terminal,
    ...{ ledger: plan.ledger, pulls: plan.pulls },
    ...(take === 'terminal' ? { take } : {}),
    endsDoubt: false,
    events: [
      {
        type: 'terminal.compared',
        time: site.now,
        terminal,
        origin: 'gateway',
        data: { cause: 'asked', ...counts, pushed, pulled },
      },
    ],
    time: site.now,
  });
  site.publish(events);
  site.wake(terminal);
}
