import { fitting, recordDigest, WhorlError } from '@whorl/protocol';
import type { LedgerRow } from '../store/store.ts';
import type { Comparison, TerminalDriver } from '../terminals/driver.ts';
import { pendingRow } from './plan.ts';
import { takesUpdates } from './scope.ts';
import type { Site } from './site.ts';

/** How a terminal stands to what the ledger says of it, and what was done about it. */
export interface CompareReport extends Comparison {
  readonly terminal: string;
  /** Users on their way to it now. */
  readonly pushed: number;
  /** Users asked back from it now. */
  readonly pulled: number;
}

/** How a terminal's users differ from those that it should have. */
export interface Looked {
  readonly comparison: Comparison;
  /** All rows of the terminal, by user; the version of those that it shall have is the gateway's now. */
  readonly rows: ReadonlyMap<number, LedgerRow>;
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
 * As {@link lookAt}; with `repair`, what differs or is missing is sent again, and what is only there is fetched where
 * terminals may add users.
 * @throws as {@link lookAt}
 */
export async function compareTerminal(
  site: Site,
  driver: TerminalDriver,
  options: { readonly repair: boolean; readonly signal: AbortSignal },
): Promise<CompareReport> {
  const { comparison } = await lookAt(site, driver, options.signal);
  const done = options.repair ? await repair(site, driver.name, comparison) : { pushed: 0, pulled: 0 };
  return { terminal: driver.name, ...comparison, ...done };
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

async function repair(
  site: Site,
  terminal: string,
  { different, missing, extra }: Comparison,
): Promise<{ pushed: number; pulled: number }> {
  const rows: LedgerRow[] = [];
  for (const id of [...different, ...missing]) {
    const user = await site.store.user(id);
    if (user !== undefined)
      rows.push(pendingRow({ user: id, version: user.version, now: site.now }, terminal, 'present'));
  }
  await site.store.writeLedger(rows);
  const back = takesUpdates(site.settings.autoSync) ? extra : [];
  for (const user of back)
    await site.store.requestPull({ user, terminal, log: 0, attempts: 0, nextTry: site.now });
  site.wake(terminal);
  return { pushed: rows.length, pulled: back.length };
}
