import {
  BATCH_MAX_USERS,
  codeOf,
  counted,
  describe,
  fitting,
  fittingFields,
  recordSize,
  USERS_PER_REMOVE,
} from '@whorl/protocol';
import type { Capabilities, Refusal, UserRecord } from '@whorl/protocol';
import type { NewEvent } from '../events/catalogue.ts';
import type { LedgerReason, LedgerResult, LedgerRow } from '../store/store.ts';
import type { Outgoing, PushOutcome, TerminalDriver } from '../terminals/driver.ts';
import { fieldsAt } from './former.ts';
import { MOST_ATTEMPTS, nextTry } from './retry.ts';
import { groupsOf, reachesLine } from './scope.ts';
import type { Site } from './site.ts';

/** Users go out in objects of about this size: the commit at the end costs little, and little is lost when one fails. */
const BATCH_BYTES = 192 * 1024;
const BATCH_ROWS = 128;

export interface PushContext {
  readonly capabilities: Capabilities;
  /** The log position that is stored. */
  readonly after: () => number;
  readonly signal: AbortSignal;
  /** Told of each time that something was written, before the ledger is. */
  readonly wrote: () => void;
  /** Given what is to be repeated until it succeeds: the terminal has it, and the ledger could not be told. */
  readonly unsettled: (settle: () => Promise<void>) => void;
}

interface Item extends Outgoing {
  readonly row: LedgerRow;
}

/**
 * Brings a terminal the next of what the ledger says is due, and writes down how it went.
 * @returns whether there was anything to do
 * @throws WhorlError STORE_*; trouble with the terminal is written into the ledger
 */
export async function pushDue(site: Site, driver: TerminalDriver, context: PushContext): Promise<boolean> {
  const after = context.after();
  const rows = await site.store.dueLedger(driver.name, site.now, Math.min(BATCH_ROWS, BATCH_MAX_USERS));
  if (rows.length === 0) return false;
  const absent = rows.filter((row) => row.want === 'absent').slice(0, USERS_PER_REMOVE);
  const told = { ...context, after: () => after };
  if (absent.length > 0) await removeAll(site, driver, absent, told);
  else await pushAll(site, driver, rows, told);
  return true;
}

/** Who is still a user here goes from there once all that people did to them there is here; then who is none any more. */
async function removeAll(
  site: Site,
  driver: TerminalDriver,
  absent: readonly LedgerRow[],
  context: PushContext,
): Promise<void> {
  const versions = await site.store.versions.of(absent.map(({ user }) => user));
  const held = absent.filter(({ user }) => versions.has(user));
  const [rows, options] = held.length > 0 ? [held, { after: context.after() }] : [absent, {}];
  await site.store.markSending(driver.name, rows);
  const began = site.clock.now();
  const users = rows.map(({ user }) => user);
  const failure = await attempt(() => driver.remove(users, options, context.signal));
  if (failure === undefined) {
    const ms = Math.round(site.clock.now() - began);
    site.log.info(
      { terminal: driver.name, users: rows.length, ms },
      `${driver.name}: removed ${showUsers(rows)} in ${ms} ms`,
    );
  }
  await settle(
    site,
    driver.name,
    context,
    rows.map((row) => (failure === undefined ? verified(site, row) : failed(site, row, failure))),
  );
}

async function pushAll(
  site: Site,
  driver: TerminalDriver,
  rows: readonly LedgerRow[],
  context: PushContext,
): Promise<void> {
  const items = await itemsFor(site, rows, context.capabilities);
  if (items.length === 0) return;
  await site.store.markSending(
    driver.name,
    items.map((item) => item.row),
  );
  let outcomes: readonly PushOutcome[] | Failure;
  try {
    const moved = await driver.push(
      items,
      { after: context.after(), open: items.every((item) => isOpen(site, driver.name, item.record)) },
      context.signal,
    );
    outcomes = moved.value;
    tellPushed(site, driver.name, items, moved);
  } catch (error) {
    outcomes = failureOf(error);
  }
  const results = items.map(({ row }, index) => {
    if (!Array.isArray(outcomes)) return failed(site, row, outcomes as Failure);
    const outcome = outcomes[index] as PushOutcome | undefined;
    return outcome?.kind === 'verified' ? verified(site, row) : failed(site, row, refusal(outcome));
  });
  await settle(site, driver.name, context, results);
}

function isOpen(site: Site, terminal: string, record: UserRecord): boolean {
  return reachesLine(site.settings.autoSync, groupsOf(record), site.places, terminal);
}

/** Loads users up to the size of a batch; rows of users that are gone are dropped. */
async function itemsFor(site: Site, rows: readonly LedgerRow[], capabilities: Capabilities): Promise<Item[]> {
  const items: Item[] = [];
  let size = 0;
  for (const row of rows) {
    const user = await site.store.user(row.user);
    if (user === undefined) {
      await site.store.writeLedger([{ ...row, want: 'absent', state: 'pending' }]);
      continue;
    }
    const record = fitting(user.record, capabilities);
    size += recordSize(record);
    if (items.length > 0 && size > BATCH_BYTES) break;
    const held = row.delivered === undefined ? undefined : fieldsAt(user, row.delivered);
    items.push({
      row: { ...row, version: user.version },
      record,
      held: held && fittingFields(held, capabilities),
    });
  }
  return items;
}

function tellPushed(
  site: Site,
  terminal: string,
  items: readonly Item[],
  moved: { value: readonly PushOutcome[]; bytes: number; ms: number },
): void {
  const sound = moved.value.filter((outcome) => outcome.kind === 'verified').length;
  const ms = Math.round(moved.ms);
  const verdict = sound === items.length ? 'verified' : `${sound} verified, ${items.length - sound} refused`;
  site.log.info(
    { terminal, users: items.length, bytes: moved.bytes, ms },
    `${terminal}: pushed ${showUsers(items.map((item) => item.row))}, ${moved.bytes.toLocaleString('en')} bytes in ${ms} ms: ${verdict}`,
  );
}

interface Failure {
  readonly reason: LedgerReason;
  readonly text: string;
}

/** @param work answers false when something was changed there of which nothing is known here */
async function attempt(work: () => Promise<boolean>): Promise<Failure | undefined> {
  try {
    return (await work()) ? undefined : refusal({ kind: 'refused', reason: 'changed-here' });
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): Failure {
  const text = describe(error);
  switch (codeOf(error)) {
    case 'EXCHANGE_REFUSED':
      return { reason: 'refused', text };
    case 'TRANSFER_DIGEST':
      return { reason: 'corrupt', text };
    default:
      return { reason: 'unreachable', text };
  }
}

function refusal(outcome: PushOutcome | undefined): Failure {
  const reason: Refusal | 'corrupt' = outcome?.kind === 'refused' ? outcome.reason : 'corrupt';
  switch (reason) {
    case 'capacity-full':
    case 'format-mismatch':
    case 'corrupt':
    case 'changed-here':
      return { reason, text: reason };
    default:
      return { reason: 'refused', text: reason };
  }
}

function verified(site: Site, row: LedgerRow): LedgerResult {
  return {
    user: row.user,
    want: row.want,
    version: row.version,
    state: 'verified',
    attempts: 0,
    checked: site.now,
  };
}

function failed(site: Site, row: LedgerRow, failure: Failure): LedgerResult {
  const attempts = row.attempts + 1;
  const next = nextTry(attempts, site.now);
  return {
    user: row.user,
    want: row.want,
    version: row.version,
    state: 'failed',
    reason: failure.reason,
    attempts,
    ...(next === undefined ? {} : { nextTry: next }),
  };
}

async function settle(
  site: Site,
  terminal: string,
  { unsettled, wrote }: PushContext,
  results: readonly LedgerResult[],
): Promise<void> {
  const events = results.flatMap((result) => eventsFor(site, terminal, result));
  if (results.some(({ state }) => state === 'verified')) wrote();
  const write = async (): Promise<void> => {
    site.publish(await site.store.settleLedger(terminal, results, events));
  };
  try {
    await write();
  } catch (error) {
    unsettled(write);
    throw error;
  }
}

/** A failure is told when it is first seen and when it is given up, not each time between. */
function eventsFor(site: Site, terminal: string, result: LedgerResult): NewEvent[] {
  if (result.state !== 'failed' || result.reason === undefined) return [];
  const passing = result.reason === 'unreachable' || result.reason === 'changed-here';
  if (result.attempts !== MOST_ATTEMPTS && (passing || result.attempts !== 1)) return [];
  const { user, attempts, reason } = result;
  site.log.warn(
    { terminal, user, reason, attempts },
    `${terminal}: user ${user}: ${reason}${result.nextTry === undefined ? '; given up, `whorl ledger retry` tries again' : ''}`,
  );
  const type = result.want === 'present' ? 'user.update.failed' : 'user.delete.failed';
  return [{ type, time: site.now, terminal, user, origin: 'gateway', data: { reason, attempts } }];
}

function showUsers(rows: readonly LedgerRow[]): string {
  const [first] = rows;
  return rows.length === 1 && first !== undefined ? `user ${first.user}` : counted(rows.length, 'user');
}
