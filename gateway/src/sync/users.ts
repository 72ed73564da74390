import { fitting, recordDigest, sameBytes, showField, WhorlError } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { NewEvent } from '../events/catalogue.ts';
import type { LedgerRow, Provenance, PullRequest, StoredUser } from '../store/store.ts';
import type { Capabilities } from '@whorl/protocol';
import { merge } from './merge.ts';
import type { Merged } from './merge.ts';
import { pendingRow, planLedger } from './plan.ts';
import { groupsOf, inScope, takesUpdates } from './scope.ts';
import type { Site } from './site.ts';

/** Somebody else is always faster: then something is wrong. */
const MOST_RACES = 20;

/** How a user shall be changed; `undefined` deletes it. Called again when somebody else was faster. */
type Edit = (held: StoredUser | undefined) => UserRecord | undefined;

/**
 * Changes a user at the gateway and plans what follows at the terminals, in one transaction.
 * @returns the version afterwards; 0 when the user is gone
 * @throws WhorlError STORE_*, and what `edit` throws
 */
export async function changeUser(site: Site, id: number, edit: Edit): Promise<number> {
  for (let race = 0; race < MOST_RACES; race += 1) {
    const held = await site.store.user(id);
    const record = edit(held);
    const from = held?.version ?? 0;
    if (held !== undefined && record !== undefined && changedFields(held.record, record).length === 0)
      return from;
    const next =
      record === undefined ? undefined : nextVersion(held, record, { origin: 'gateway', time: site.now });
    const ledger = await planFor(site, id, record, next?.version ?? from + 1);
    const event = eventFor(site, id, held, next);
    const events = await site.store.saveUser({
      user: id,
      from,
      next,
      ledger,
      events: [event],
      time: site.now,
    });
    if (events === undefined) continue;
    site.publish(events);
    site.wake();
    return next?.version ?? 0;
  }
  throw new WhorlError('USER_CHANGED', `user ${id} is being changed by others without a pause`);
}

/**
 * Merges what a terminal holds of a user, and plans what follows at all terminals, in one transaction that also closes
 * the pull.
 */
export async function mergePulled(
  site: Site,
  pull: PullRequest,
  incoming: UserRecord,
  capabilities: Capabilities,
): Promise<Merged> {
  for (let race = 0; race < MOST_RACES; race += 1) {
    const held = await site.store.user(pull.user);
    const merged = merge(held?.record, incoming);
    const provenance: Provenance = { origin: 'terminal', terminal: pull.terminal, time: site.now };
    const grown = held === undefined || merged.filled.length > 0;
    const next = grown ? nextVersion(held, merged.record, provenance) : held;
    const planned = await planFor(site, pull.user, next.record, next.version);
    const source = sourceRow(site, pull, next, incoming, capabilities);
    const ledger =
      source === undefined ? planned : [...planned.filter((row) => row.terminal !== pull.terminal), source];
    const events = await site.store.saveUser({
      user: pull.user,
      from: held?.version ?? 0,
      next,
      ledger,
      pull: { terminal: pull.terminal, log: pull.log },
      events: [mergedEvent(site, pull, next, merged)],
      time: site.now,
    });
    if (events === undefined) continue;
    site.publish(events);
    site.wake();
    return merged;
  }
  throw new WhorlError('USER_CHANGED', `user ${pull.user} is being changed by others without a pause`);
}

/** The ledger row of the terminal that a user was pulled from: right as it is, or to be brought in line. */
function sourceRow(
  site: Site,
  pull: PullRequest,
  next: StoredUser,
  incoming: UserRecord,
  capabilities: Capabilities,
): LedgerRow | undefined {
  const place = site.places.find((one) => one.terminal === pull.terminal);
  if (place === undefined || !inScope(site.settings.autoSync, groupsOf(next.record), place)) return undefined;
  const right = sameBytes(recordDigest(fitting(next.record, capabilities)), recordDigest(incoming));
  if (!right && !takesUpdates(site.settings.autoSync)) return undefined;
  const pending = pendingRow(
    { user: pull.user, version: next.version, now: site.now },
    pull.terminal,
    'present',
  );
  if (!right) return pending;
  return {
    user: pull.user,
    terminal: pull.terminal,
    want: 'present',
    state: 'verified',
    version: next.version,
    attempts: 0,
    checked: site.now,
  };
}

async function planFor(
  site: Site,
  user: number,
  record: UserRecord | undefined,
  version: number,
): Promise<LedgerRow[]> {
  const rows = await site.store.ledgerOf([user]);
  const groups = record === undefined ? undefined : groupsOf(record);
  return planLedger({
    user,
    groups,
    version,
    rows,
    places: site.places,
    autoSync: site.settings.autoSync,
    now: site.now,
  });
}

function nextVersion(held: StoredUser | undefined, record: UserRecord, by: Provenance): StoredUser {
  const provenance = new Map<number, Provenance>();
  for (const [number, value] of record.fields) {
    const mine = held?.record.fields.get(number);
    const known = held?.provenance.get(number);
    provenance.set(number, mine !== undefined && known !== undefined && sameBytes(mine, value) ? known : by);
  }
  return { record, version: (held?.version ?? 0) + 1, provenance };
}

/** Numbers of the fields that one record has and the other has not, or has otherwise. */
function changedFields(before: UserRecord, after: UserRecord): number[] {
  const numbers = new Set([...before.fields.keys(), ...after.fields.keys()]);
  return [...numbers].filter((number) => {
    const [a, b] = [before.fields.get(number), after.fields.get(number)];
    return a === undefined || b === undefined || !sameBytes(a, b);
  });
}

function eventFor(
  site: Site,
  user: number,
  held: StoredUser | undefined,
  next: StoredUser | undefined,
): NewEvent {
  const envelope = { time: site.now, user, origin: 'gateway' } as const;
  if (next === undefined) return { ...envelope, type: 'user.removed', data: {} };
  const before = held?.record ?? { id: user, fields: new Map<number, Uint8Array>() };
  const data = { version: next.version, fields: changedFields(before, next.record).map(showField) };
  return { ...envelope, type: held === undefined ? 'user.added' : 'user.changed', data };
}

function mergedEvent(site: Site, pull: PullRequest, next: StoredUser, merged: Merged): NewEvent {
  const data = {
    version: next.version,
    filled: merged.filled.map(showField),
    kept: merged.kept.map(showField),
  };
  return {
    type: 'user.merged',
    time: site.now,
    terminal: pull.terminal,
    user: pull.user,
    origin: 'terminal',
    data,
  };
}

/** For logs: what a merge did. */
export function showMerged(merged: Merged): string {
  const filled =
    merged.filled.length === 0 ? 'nothing new' : `filled ${merged.filled.map(showField).join(', ')}`;
  return merged.kept.length === 0 ? filled : `${filled}; kept our ${merged.kept.map(showField).join(', ')}`;
}
