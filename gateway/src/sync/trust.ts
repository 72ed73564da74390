import type { NewEvent } from '../events/catalogue.ts';
import type { Doubt } from '../events/catalogue.ts';
import type { LedgerRow } from '../store/store.ts';
import type { TerminalDriver } from '../terminals/driver.ts';
import { lookAt } from './compare.ts';
import type { Looked } from './compare.ts';
import { beganAnew } from './doubts.ts';
import { pendingRow } from './plan.ts';
import { takesUpdates } from './scope.ts';
import type { Site } from './site.ts';

/** What is done about a terminal of which it was not known what it holds. */
interface Repair {
  readonly ledger: readonly LedgerRow[];
  readonly pulls: readonly number[];
}

/**
 * Compares a terminal in doubt and brings in line what differs, nothing else. What may have been changed there unseen
 * is fetched before anything is sent, so that no enrolment is lost.
 * @param doubted.stands whether no other reason to doubt has come since
 * @returns whether the doubt is over
 * @throws WhorlError TERMINAL_OFFLINE, EXCHANGE_*, LINE_CLOSED, ABORTED, STORE_*; the doubt stays
 */
export async function restoreTrust(
  site: Site,
  driver: TerminalDriver,
  doubted: { readonly doubt: Doubt; readonly stands: () => boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  const { doubt } = doubted;
  const looked = await lookAt(site, driver, { signal: doubted.signal, asDelivered: true });
  if (!doubted.stands()) return false;
  const repair = await repairOf(site, driver.name, doubt, looked);
  const { same, different, missing, extra } = looked.comparison;
  const counts = {
    same,
    different: different.length,
    missing: missing.length,
    extra: extra.length,
    pushed: repair.ledger.filter((row) => row.state === 'pending').length,
    pulled: repair.pulls.length,
  };
  const event: NewEvent = {
    type: 'terminal.compared',
    time: site.now,
    terminal: driver.name,
    data: { cause: doubt, ...counts },
  };
  site.publish(
    await site.store.settleComparison({
      ...{ terminal: driver.name, ...repair, endsDoubt: true },
      ...{ events: [event], time: site.now },
    }),
  );
  site.log.info(
    { terminal: driver.name, ...counts },
    `${driver.name}: compared, ${doubt}: ${same} users the same, ${counts.different} different, ${counts.missing} missing, ${counts.extra} only there`,
  );
  return doubted.stands();
}

async function repairOf(site: Site, terminal: string, doubt: Doubt, looked: Looked): Promise<Repair> {
  const { autoSync } = site.settings;
  const { comparison, rows, behind } = looked;
  const { different, missing, extra } = comparison;
  const unexpected = extra.filter((user) => rows.get(user)?.want !== 'absent');
  const deleted = await site.store.tombstones.of(unexpected);
  // Looked at only: whoever is no such user stays there.
  const returned = unexpected.filter((user) => deleted.has(user));
  if (autoSync === 'off') return { ledger: [], pulls: returned };
  const anew = beganAnew(doubt);
  const takes = takesUpdates(autoSync);
  const differing = new Set([...different, ...missing]);
  const sent = (user: number): LedgerRow[] => {
    const row = rows.get(user);
    return row === undefined ? [] : [pendingRow({ ...row, now: site.now }, terminal, 'present')];
  };
  return {
    ledger: [
      ...missing.flatMap((user) => (anew ? sent(user) : goneThere(site, rows.get(user)))),
      // Without updates from terminals, what people changed there stays there until the gateway has something newer.
      ...(anew && !takes ? different.flatMap(sent) : []),
      ...[...rows.values()]
        .filter(({ user }) => !differing.has(user) && !behind.has(user))
        .flatMap((row) => right(site, row)),
    ],
    pulls: takes ? [...different, ...unexpected] : returned,
  };
}

/** A user who was there and is not, without a log that tells of it: somebody deleted it there. */
function goneThere(site: Site, row: LedgerRow | undefined): LedgerRow[] {
  if (row?.delivered === undefined) return [];
  if (site.settings.restoreDeleted) return [pendingRow({ ...row, now: site.now }, row.terminal, 'present')];
  const { user, terminal, want } = row;
  return [
    { user, terminal, want, state: 'withheld', version: 0, attempts: 0, reason: 'deleted-at-terminal' },
  ];
}

/** What was to be sent, and is there already, need not be sent. */
function right(site: Site, row: LedgerRow): LedgerRow[] {
  if (row.want === 'absent' || row.state === 'verified' || row.state === 'withheld') return [];
  const { user, terminal, want, version } = row;
  return [{ user, terminal, want, state: 'verified', version, attempts: 0, checked: site.now }];
}
