import { counted } from '@whorl/protocol';
import type { Doubt, NewEvent, StoredEvent } from '../events/catalogue.ts';
import type { LedgerRow } from '../store/store.ts';
import type { TerminalDriver } from '../terminals/driver.ts';
import { lookAt } from './compare.ts';
import type { Looked } from './compare.ts';
import { belongsAt } from './belonging.ts';
import { beganAnew, wentBack } from './doubts.ts';
import { goneRows } from './gone.ts';
import { heldBack, pendingRow } from './plan.ts';
import { takesUpdates } from './scope.ts';
import type { Site } from './site.ts';
import { PUT, staysAt } from './stay.ts';

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
    `${driver.name}: compared, ${doubt}: ${counted(same, 'user')} the same, ${counts.different} different, ${counts.missing} missing, ${counts.extra} only there`,
  );
  return doubted.stands();
}

async function repairOf(site: Site, terminal: string, doubt: Doubt, looked: Looked): Promise<Repair> {
  const { autoSync } = site.settings;
  const { comparison, rows, behind, changed } = looked;
  const { different, missing, extra } = comparison;
  const unexpected = extra.filter((user) => rows.get(user)?.want !== 'absent');
  const deleted = await site.store.tombstones.of(unexpected);
  // Looked at only: whoever is no such user stays there.
  const returned = unexpected.filter((user) => deleted.has(user));
  const anew = beganAnew(doubt);
  const rowsOf = (users: readonly number[]): LedgerRow[] => users.flatMap((user) => rows.get(user) ?? []);
  const gone = anew ? [] : await goneThere(site, terminal, rowsOf(missing));
  if (autoSync === 'off') {
    // Who was deleted there, and is back with an older state, too.
    const back = unexpected.filter((user) => rows.get(user)?.reason === 'deleted-at-terminal');
    const wrong = anew ? rowsOf([...missing, ...different, ...back]) : [];
    const again = wentBack(doubt) ? await broughtBack(site, terminal, unexpected) : [];
    return { ledger: [...gone, ...wrong.map(notThere), ...again.map(heldBack)], pulls: returned };
  }
  const takes = takesUpdates(autoSync);
  const differing = new Set([...different, ...missing]);
  const sent = (row: LedgerRow): LedgerRow => pendingRow({ ...row, now: site.now }, terminal, 'present');
  return {
    ledger: [
      ...(anew ? rowsOf(missing).map(sent) : gone),
      // Without updates from terminals, what people changed there stays there until the gateway has something newer.
      ...(anew && !takes ? rowsOf(different).map(sent) : []),
      ...(wentBack(doubt) || doubt === 'restored' ? await broughtBack(site, terminal, unexpected) : []),
      ...[...rows.values()]
        .filter(({ user }) => !differing.has(user) && !behind.has(user))
        .flatMap((row) => right(site, row)),
    ],
    pulls: takes ? [...different, ...changed, ...unexpected] : returned,
  };
}

/** Users who were there and are not, without a log that tells of it: somebody deleted them there. */
function goneThere(site: Site, terminal: string, missing: readonly LedgerRow[]): Promise<LedgerRow[]> {
  // Who was found there was never delivered, and is taken to be there all the same.
  const rows = missing.filter(({ delivered, state }) => delivered !== undefined || state === 'verified');
  return goneRows(site, terminal, rows);
}

/** Nothing is sent by itself, but it is no longer taken for what is there. */
function notThere({ user, terminal, want }: LedgerRow): LedgerRow {
  return { user, terminal, want, state: 'failed', version: 0, attempts: 0, reason: 'changed-here' };
}

/**
 * Users whom no group of theirs reaches there, and who came back with an older state, or were brought there before the
 * gateway went back to one. Whom people put there themselves stays.
 */
async function broughtBack(site: Site, terminal: string, users: readonly number[]): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  for (const user of users) {
    const held = await site.store.user(user);
    // Whom nobody here knows is fetched before; else nobody would have them.
    const isKnown = held !== undefined || takesUpdates(site.settings.autoSync);
    if (!isKnown || (await belongsAt(site, terminal, user))) continue;
    if (whoPutThere(await staysAt(site, terminal, user)) !== 'gateway') continue;
    rows.push(pendingRow({ user, version: held?.version ?? 0, now: site.now }, terminal, 'absent'));
  }
  return rows;
}

/** Who began the last stay of a user at a terminal: whoever only changed them there has not put them there. */
function whoPutThere(events: readonly StoredEvent[]): StoredEvent['origin'] {
  const stay = events.slice(0, events.findLastIndex(({ type }) => PUT.has(type)) + 1);
  const before = stay.findLastIndex(({ type }) => type === 'user.delete.succeeded');
  return stay.slice(before + 1).find(({ type }) => PUT.has(type))?.origin;
}

/** What was to be sent, and is there already, need not be sent. */
function right(site: Site, row: LedgerRow): LedgerRow[] {
  if (row.want === 'absent' || row.state === 'verified' || row.state === 'withheld') return [];
  const { user, terminal, want, version } = row;
  return [{ user, terminal, want, state: 'verified', version, attempts: 0, checked: site.now }];
}
