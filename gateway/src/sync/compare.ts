import { digestFrom, fitting, fittingFields, sameBytes, showField, sleep, WhorlError } from '@whorl/protocol';
import type { Capabilities, UserRecord } from '@whorl/protocol';
import type { LedgerRow } from '../store/store.ts';
import type { Comparison, TerminalDriver } from '../terminals/driver.ts';
import { digestAt } from './comparisons.ts';
import { fieldsAt } from './former.ts';
import type { Site } from './site.ts';

/** How a terminal's users differ from those that it should have. */
export interface Looked {
  readonly comparison: Comparison;
  /** All rows of the terminal, by user; the version of those that it shall have is the gateway's now. */
  readonly rows: ReadonlyMap<number, LedgerRow>;
  /** Users who were taken to be there as they were last delivered: what is newer still has to be sent. */
  readonly behind: ReadonlySet<number>;
  /** Users who are to go from there, and are not as they were last delivered. */
  readonly changed: readonly number[];
}

interface Expected extends Omit<Looked, 'comparison' | 'changed'> {
  /** Users who are still to go from there, and not from here: nobody is to have them there. */
  readonly leaving: ReadonlySet<number>;
  /** Digest of each user as this terminal holds it. */
  readonly digests: ReadonlyMap<number, Uint8Array>;
}

/** How one field of a user stands at a terminal. */
export interface FieldDifference {
  readonly user: number;
  readonly field: string;
  /** Other content there, held only by the gateway, or only by the terminal. */
  readonly is: 'different' | 'only-here' | 'only-there';
}

/** Rows that are read without a pause: live work goes on between them. */
const PAGE = 250;

/**
 * Compares what a terminal holds with what it should, by content and blind to what it cannot hold; differences only
 * cross the line.
 * @param options.asDelivered whether a user whose newest version is still on its way there is expected as it was
 * before: otherwise nobody's change at the terminal would count as one
 * @throws WhorlError TERMINAL_OFFLINE, EXCHANGE_*, LINE_CLOSED, ABORTED, STORE_*
 */
export function lookAt(
  site: Site,
  driver: TerminalDriver,
  options: { readonly signal: AbortSignal; readonly asDelivered?: boolean },
): Promise<Looked> {
  return site.comparisons.turn(async () => {
    const { identity, name } = driver;
    if (identity === undefined) throw new WhorlError('TERMINAL_OFFLINE', `${name} does not answer`);
    const { digests, rows, behind, leaving } = await expectedAt(site, { name, ...identity }, options);
    const comparison = await driver.compare(digests, options.signal);
    return { ...without(leaving, comparison), rows, behind };
  });
}

/** Of whom a terminal is to lose, it has those too many that it has at all. */
function without(
  leaving: ReadonlySet<number>,
  { same, different, missing, extra }: Comparison,
): Pick<Looked, 'comparison' | 'changed'> {
  const stays = (user: number): boolean => !leaving.has(user);
  const changed = different.filter((user) => leaving.has(user));
  const gone = new Set(missing);
  const there = [...leaving].filter((user) => !gone.has(user));
  const comparison = {
    same: same - (there.length - changed.length),
    different: different.filter(stays),
    missing: missing.filter(stays),
    extra: [...extra, ...there].sort((a, b) => a - b),
  };
  return { comparison, changed };
}

async function expectedAt(
  site: Site,
  { name, capabilities }: { readonly name: string; readonly capabilities: Capabilities },
  { signal, asDelivered = false }: { readonly signal: AbortSignal; readonly asDelivered?: boolean },
): Promise<Expected> {
  const digests = new Map<number, Uint8Array>();
  const rows = new Map<number, LedgerRow>();
  const behind = new Set<number>();
  const leaving = new Set<number>();
  const known = site.comparisons.digests(capabilities);
  for await (const { row, version } of rowsOf(site, name, signal)) {
    const { user, want, state } = row;
    const isExpected = want === 'present' && state !== 'withheld' && version !== undefined;
    rows.set(user, isExpected ? { ...row, version } : row);
    const isLeaving = asDelivered && want === 'absent' && state !== 'verified' && version !== undefined;
    if (!isExpected && !isLeaving) continue;
    const before = asDelivered ? await deliveredDigest(site, row, version, capabilities) : undefined;
    if (isLeaving) leaving.add(user);
    else if (before !== undefined) behind.add(user);
    const digest =
      before ?? (await digestAt(known, { user, version, capabilities }, () => site.store.user(user)));
    if (digest !== undefined) digests.set(user, digest);
  }
  return { digests, rows, behind, leaving };
}

/** The digest of what a terminal was last seen to hold, when that is older than what it shall hold, and known. @throws WhorlError STORE_* */
export async function deliveredDigest(
  site: Site,
  { user, state, delivered }: LedgerRow,
  version: number,
  capabilities: Capabilities,
): Promise<Uint8Array | undefined> {
  if (state === 'verified' || delivered === undefined || delivered >= version) return undefined;
  const held = await site.store.user(user);
  const fields = held === undefined ? undefined : fieldsAt(held, delivered);
  if (fields === undefined) return undefined;
  const there = [...fittingFields(fields, capabilities)].sort(([a], [b]) => a - b);
  return digestFrom(user, new Map(there));
}

/**
 * In which fields these users differ at a terminal. Each is fetched for that, so it is for some at a time.
 * @throws as {@link lookAt}
 */
export async function fieldsThatDiffer(
  site: Site,
  driver: TerminalDriver,
  users: readonly number[],
  signal: AbortSignal,
): Promise<readonly FieldDifference[]> {
  const { identity, name } = driver;
  if (identity === undefined) throw new WhorlError('TERMINAL_OFFLINE', `${name} does not answer`);
  const found: FieldDifference[] = [];
  for (const id of users) {
    const held = await site.store.user(id);
    const { value: there } = await driver.pull(id, held?.record, signal);
    if (held !== undefined && there !== undefined)
      found.push(...differences(fitting(held.record, identity.capabilities), there));
  }
  return found;
}

function differences(here: UserRecord, there: UserRecord): FieldDifference[] {
  const numbers = [...new Set([...here.fields.keys(), ...there.fields.keys()])].sort((a, b) => a - b);
  return numbers.flatMap((number): FieldDifference[] => {
    const [ours, theirs] = [here.fields.get(number), there.fields.get(number)];
    const about = { user: here.id, field: showField(number) };
    if (ours === undefined) return [{ ...about, is: 'only-there' }];
    if (theirs === undefined) return [{ ...about, is: 'only-here' }];
    return sameBytes(ours, theirs) ? [] : [{ ...about, is: 'different' as const }];
  });
}

/** A user at a terminal, and the version that the user has now; none when there is no such user any more. */
interface RowNow {
  readonly row: LedgerRow;
  readonly version: number | undefined;
}

async function* rowsOf(site: Site, terminal: string, signal: AbortSignal): AsyncGenerator<RowNow> {
  for (let after = { user: 0, terminal }; ;) {
    if (signal.aborted) throw new WhorlError('ABORTED', `the comparison of ${terminal} was given up`);
    const rows = await site.store.ledger({ terminal, after, limit: PAGE });
    const versions = await site.store.versions.of(rows.map(({ user }) => user));
    for (const row of rows) yield { row, version: versions.get(row.user) };
    const last = rows.at(-1);
    if (last === undefined) return;
    after = { user: last.user, terminal };
    if (rows.length === PAGE) await sleep(site.clock, 0);
  }
}
