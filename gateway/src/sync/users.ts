import { sameBytes, showField, WhorlError } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { NewEvent } from '../events/catalogue.ts';
import type { LedgerRow, StoredUser, UserChange } from '../store/store.ts';
import { nextVersion } from './former.ts';
import { planLedger } from './plan.ts';
import { groupsOf } from './scope.ts';
import type { Site } from './site.ts';

/** Somebody else is always faster: then something is wrong. */
export const MOST_RACES = 20;

/** How a user shall be changed; `undefined` deletes it. Called again when somebody else was faster. */
type Edit = (held: StoredUser | undefined) => UserRecord | undefined;

interface Deletion {
  readonly by?: string | undefined;
  /** Milliseconds UTC. */
  readonly time?: number;
  /** Who has the number from then on: what belongs to somebody else of what is held. */
  readonly heir?: (held: StoredUser) => Promise<StoredUser | undefined>;
}

/**
 * Changes a user at the gateway and plans what follows at the terminals, in one transaction.
 * @param deletion by whom and when, should it be one
 * @returns the version afterwards; 0 when the user is gone
 * @throws WhorlError STORE_*, and what `edit` throws
 */
export async function changeUser(
  site: Site,
  id: number,
  edit: Edit,
  deletion: Deletion = {},
): Promise<number> {
  for (let race = 0; race < MOST_RACES; race += 1) {
    const held = await site.store.user(id);
    const record = edit(held);
    const from = held?.version ?? 0;
    // Deleted once more, nobody would be known any more to be the one who was deleted.
    if (held === undefined && record === undefined) return from;
    if (held !== undefined && record !== undefined && changedFields(held.record, record).length === 0)
      return from;
    const next =
      record === undefined
        ? held && (await deletion.heir?.(held))
        : nextVersion(held, record, { origin: 'gateway', time: site.now });
    const ledger = await planFor(site, id, next?.record, next?.version ?? from + 1);
    const told =
      record === undefined
        ? deletionOf(site, { id, held, next }, deletion)
        : { events: [eventFor(site, id, held, next)], time: site.now };
    const events = await site.store.saveUser({ user: id, from, next, ledger, ...told });
    if (events === undefined) continue;
    site.publish(events);
    site.wake();
    return next?.version ?? 0;
  }
  throw new WhorlError('USER_CHANGED', `user ${id} is being changed by others without a pause`);
}

function deletionOf(
  site: Site,
  {
    id,
    held,
    next,
  }: { readonly id: number; readonly held: StoredUser | undefined; readonly next: StoredUser | undefined },
  { by = 'gateway', time }: Deletion,
): Pick<UserChange, 'deletedBy' | 'events' | 'time'> {
  const gone = eventFor(site, id, held, undefined);
  const events = next === undefined ? [gone] : [gone, eventFor(site, id, undefined, next)];
  // Who was deleted is remembered with the time that the event tells.
  return { deletedBy: by, events, time: time ?? gone.time };
}

/** @throws WhorlError USER_UNKNOWN, STORE_* */
export async function deleteUser(site: Site, id: number, by?: string): Promise<void> {
  const gone: Edit = (held) => {
    if (held === undefined) throw new WhorlError('USER_UNKNOWN', `there is no user ${id}`);
    return undefined;
  };
  await changeUser(site, id, gone, { by });
}

/** The ledger rows that follow when a user becomes `record`; `undefined` deletes it. */
export async function planFor(
  site: Site,
  user: number,
  record: UserRecord | undefined,
  version: number,
): Promise<LedgerRow[]> {
  const rows = await site.store.ledgerOf([user]);
  const groups = record === undefined ? undefined : groupsOf(record);
  const held = record === undefined ? await site.store.user(user) : undefined;
  return planLedger({
    user,
    groups,
    version,
    rows: [...rows, ...enrolledWithoutRow(held, rows)],
    places: site.places,
    autoSync: site.settings.autoSync,
    now: site.now,
  });
}

/** Whom people enrolled at a terminal that none of their groups reaches, it has, though nothing is ever sent there. */
function enrolledWithoutRow(held: StoredUser | undefined, rows: readonly LedgerRow[]): LedgerRow[] {
  if (held === undefined) return [];
  const { record, version } = held;
  const writers = new Set([...held.provenance.values()].flatMap(({ terminal }) => terminal ?? []));
  for (const { terminal } of rows) writers.delete(terminal);
  return [...writers].map((terminal) => ({
    ...{ user: record.id, terminal, want: 'present', state: 'verified', version, attempts: 0 },
  }));
}

/** Numbers of the fields that one record has and the other has not, or has otherwise. */
export function changedFields(before: UserRecord, after: UserRecord): number[] {
  const numbers = new Set([...before.fields.keys(), ...after.fields.keys()]);
  return [...numbers].filter((number) => {
    const [a, b] = [before.fields.get(number), after.fields.get(number)];
    return a === undefined || b === undefined || !sameBytes(a, b);
  });
}

/** What tells of a user's change at the gateway. */
export function eventFor(
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
