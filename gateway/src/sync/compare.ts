import { fitting, recordDigest, sameBytes, showField, WhorlError } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { LedgerRow } from '../store/store.ts';
import type { Comparison, TerminalDriver } from '../terminals/driver.ts';
import type { Site } from './site.ts';

/** How a terminal's users differ from those that it should have. */
export interface Looked {
  readonly comparison: Comparison;
  /** All rows of the terminal, by user; the version of those that it shall have is the gateway's now. */
  readonly rows: ReadonlyMap<number, LedgerRow>;
}

/** How one field of a user stands at a terminal. */
export interface FieldDifference {
  readonly user: number;
  readonly field: string;
  /** Other content there, held only by the gateway, or only by the terminal. */
  readonly is: 'different' | 'only-here' | 'only-there';
}

const PAGE = 1000;

/**
 * Compares what a terminal holds with what it should, by content and blind to what it cannot hold; differences only
 * cross the line.
 * @throws WhorlError TERMINAL_OFFLINE, EXCHANGE_*, LINE_CLOSED, ABORTED, STORE_*
 */
export async function lookAt(site: Site, driver: TerminalDriver, signal: AbortSignal): Promise<Looked> {
  const { identity, name } = driver;
  if (identity === undefined) throw new WhorlError('TERMINAL_OFFLINE', `${name} does not answer`);
  const expected = new Map<number, Uint8Array>();
  const rows = new Map<number, LedgerRow>();
  for await (const row of rowsOf(site, name)) {
    rows.set(row.user, row);
    if (row.want === 'absent' || row.state === 'withheld') continue;
    const user = await site.store.user(row.user);
    if (user === undefined) continue;
    expected.set(row.user, recordDigest(fitting(user.record, identity.capabilities)));
    rows.set(row.user, { ...row, version: user.version });
  }
  return { comparison: await driver.compare(expected, signal), rows };
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

async function* rowsOf(site: Site, terminal: string): AsyncGenerator<LedgerRow> {
  let after: { user: number; terminal: string } | undefined;
  for (;;) {
    const rows = await site.store.ledger({
      terminal,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    const last = rows.at(-1);
    if (last === undefined) return;
    yield* rows;
    after = { user: last.user, terminal };
  }
}
