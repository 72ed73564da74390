import { fitting, recordDigest, sameBytes } from '@whorl/protocol';
import type { Capabilities, LogRecord } from '@whorl/protocol';
import type { Doubt } from '../events/catalogue.ts';
import type { LedgerRow } from '../store/store.ts';
import type { TerminalDriver } from '../terminals/driver.ts';
import { deliveredDigest } from './compare.ts';
import { beganAnew } from './doubts.ts';
import { takesUpdates } from './scope.ts';
import type { Site } from './site.ts';

const MOST_ROWS = 128;

/** What is to be done about a user whom a terminal holds already. */
type Verdict =
  | { readonly is: 'right'; readonly row: LedgerRow }
  /** Something else is there, of which nobody here knows. */
  | { readonly is: 'other'; readonly user: number }
  | { readonly is: 'behind' };

/**
 * A terminal that holds users, at a gateway that does not know them yet and gets them from its master: whoever comes, and
 * is there just so already, is not written again; who is there otherwise is fetched first. So the terminal takes part
 * while the others are still to come, and nothing crosses its line but the digests of those who are there.
 */
export class Recognising {
  /** Digests of who was there when it was asked, and not looked at since. */
  #there: Map<number, Uint8Array> | undefined;
  #doubts = 0;

  /** Whether a terminal in this doubt is looked at so for now, and compared later. */
  static isFor(site: Pick<Site, 'awaits'>, doubt: Doubt | undefined): boolean {
    return site.awaits && doubt !== undefined && beganAnew(doubt);
  }

  /** The terminal's log names users: what was seen of them is old. */
  named(records: readonly LogRecord[]): void {
    for (const { user } of records) this.#there?.delete(user);
  }

  /**
   * Looks at those who are due to be sent.
   * @param asked.doubts another number than before: the terminal is asked again who is there
   * @returns whether there was anything to do
   * @throws WhorlError TERMINAL_OFFLINE, EXCHANGE_*, LINE_CLOSED, ABORTED, STORE_*
   */
  async look(
    site: Site,
    driver: TerminalDriver,
    asked: { readonly capabilities: Capabilities; readonly doubts: number; readonly signal: AbortSignal },
  ): Promise<boolean> {
    const there = await this.#digests(site, driver, asked);
    const { name: terminal } = driver;
    const due = await site.store.dueLedger(terminal, site.now, MOST_ROWS);
    const rows = due.filter(({ user, want }) => want === 'present' && there.has(user));
    if (rows.length === 0) return false;
    const verdicts = await Promise.all(
      rows.map((row) => verdictOn(site, row, there.get(row.user), asked.capabilities)),
    );
    const takes = takesUpdates(site.settings.autoSync);
    site.publish(
      await site.store.settleComparison({
        ...{ terminal, endsDoubt: false, events: [], time: site.now },
        ledger: verdicts.flatMap((one) => (one.is === 'right' ? [one.row] : [])),
        pulls: takes ? verdicts.flatMap((one) => (one.is === 'other' ? [one.user] : [])) : [],
      }),
    );
    for (const { user } of rows) there.delete(user);
    return true;
  }

  async #digests(
    site: Site,
    driver: TerminalDriver,
    { doubts, signal }: { readonly doubts: number; readonly signal: AbortSignal },
  ): Promise<Map<number, Uint8Array>> {
    if (this.#there !== undefined && this.#doubts === doubts) return this.#there;
    const there = new Map(await site.comparisons.turn(() => driver.digests(signal)));
    [this.#there, this.#doubts] = [there, doubts];
    return there;
  }
}

async function verdictOn(
  site: Site,
  row: LedgerRow,
  there: Uint8Array | undefined,
  capabilities: Capabilities,
): Promise<Verdict> {
  const { user, terminal, want } = row;
  const held = await site.store.user(user);
  if (held === undefined || there === undefined) return { is: 'behind' };
  const { version } = held;
  if (sameBytes(recordDigest(fitting(held.record, capabilities)), there))
    return {
      is: 'right',
      row: { user, terminal, want, state: 'verified', version, attempts: 0, checked: site.now },
    };
  const delivered = await deliveredDigest(site, row, version, capabilities);
  return delivered !== undefined && sameBytes(delivered, there) ? { is: 'behind' } : { is: 'other', user };
}
