import { fieldDigest, readRecord, recordOf, showField } from '@whorl/protocol';
import type { NewEvent } from '../events/catalogue.ts';
import { nextVersion } from '../sync/former.ts';
import type { SiteBase } from '../store/sites.ts';
import type { ConflictWrite, Provenance, StoredUser } from '../store/store.ts';
import { kindOf, side } from '../sync/differences.ts';
import { changedFields } from '../sync/users.ts';
import { heard, itself } from './names.ts';
import { changedSince } from './offering.ts';
import type { DownRow } from './requests.ts';

// What becomes of a user at a satellite when the master's comes: pure.

export type UserRow = Extract<DownRow, { is: 'user' }>;

/** A satellite's user, and what has come of it from the master. */
export interface Coming {
  readonly site: string;
  readonly row: UserRow;
  readonly bytes: Uint8Array;
  readonly held: StoredUser | undefined;
  readonly base: SiteBase | undefined;
}

/**
 * next: the user afterwards, the same as before when nothing changes. untaken: fields that were offered, and that the
 * master has otherwise. waits: the master does not know yet what terminals here have made of this user, so that it would
 * be lost.
 */
export type Integrated =
  | {
      readonly next: StoredUser | undefined;
      readonly base: SiteBase;
      readonly untaken?: readonly number[];
      readonly waits?: undefined;
    }
  | { readonly waits: string };

/**
 * The master's user takes the place of the one here; fields that were changed here and not offered yet stay. A master
 * that was restored from a backup may come with an older user than it sent before: then what differs here stays, and is
 * offered to it.
 * @throws WhorlError MESSAGE_*, USER_ORDER for bytes that are no record
 */
export function integrated({ site, row, bytes, held, base }: Coming): Integrated {
  const theirs = readRecord(Uint8Array.from(bytes));
  const fields = new Map([...theirs.fields].map(([field, value]) => [field, fieldDigest(field, value)]));
  if (row.apart === true)
    return {
      next: held,
      base: { ...(base ?? emptyBase(held?.version ?? 0)), apart: true },
    };
  if (held === undefined || base === undefined) {
    if (held !== undefined) return { waits: 'what was enrolled here under this id has not been offered yet' };
    const next = nextVersion(undefined, theirs, writers(site, row));
    return { next, base: baseOf(row, next.version, next.version, fields) };
  }
  if (base.born !== '' && base.born !== row.born) {
    if (hasUnsent(held, base))
      return { waits: 'what was changed here of who had this id has not been offered yet' };
    const next = nextVersion(held, theirs, writers(site, row));
    return { next, base: baseOf(row, next.version, next.version, fields) };
  }
  const older = row.version < base.version;
  const differing = changedSince(held, base);
  const mine = differing.filter((field) => older || isUnsent(held, base, field));
  const merged = new Map(theirs.fields);
  const by = new Map(writers(site, row));
  for (const field of older ? [...held.record.fields.keys()] : mine) {
    const value = held.record.fields.get(field);
    const writer = held.provenance.get(field);
    if (value !== undefined) merged.set(field, value);
    if (writer !== undefined) by.set(field, writer);
  }
  const record = recordOf(row.user, merged);
  const changed = changedFields(held.record, record);
  const next = changed.length === 0 ? held : nextVersion(held, record, by);
  const untaken = differing.filter((field) => changed.includes(field));
  const offered = older ? 0 : mine.length > 0 ? base.offered : next.version;
  return { next, base: baseOf(row, next.version, offered, fields), untaken };
}

/**
 * What the master has not taken of what it was offered, as a conflict that it decides: it may go back to a backup that
 * does not know of it.
 * @param handed how far the master had got the log here
 */
export function notTaken(
  { site, held, field }: { readonly site: string; readonly held: StoredUser; readonly field: number },
  next: StoredUser,
  { handed, now }: { readonly handed: number; readonly now: number },
): ConflictWrite {
  const theirs = side(held, [field]);
  const terminal = theirs.provenance.get(field)?.terminal ?? itself(site);
  return {
    conflict: {
      ...{ user: held.record.id, kind: kindOf(field), field, terminal, reasons: [] },
      ...{ state: 'ours', opened: now, closed: now, handed, ours: side(next, [field]), theirs },
    },
  };
}

/** Whether a field was changed here after what was offered last. */
function isUnsent(held: StoredUser, { offered }: SiteBase, field: number): boolean {
  const since = held.provenance.get(field)?.since;
  return since === undefined || since > offered;
}

/** Whether a user has changes that the master has not been offered. */
export function hasUnsent(held: StoredUser, base: SiteBase | undefined): boolean {
  return changedSince(held, base).some((field) => base === undefined || isUnsent(held, base, field));
}

/** What is remembered of a user whom the master did not send. */
export function emptyBase(version: number): SiteBase {
  return baseOf({ version: 0, born: '', at: '' }, version, version, new Map());
}

function baseOf(
  { version, born, at }: Pick<SiteBase, 'version' | 'born' | 'at'>,
  local: number,
  offered: number,
  fields: SiteBase['fields'],
): SiteBase {
  return { version, born, at, local, offered, apart: false, fields };
}

function writers(site: string, { by }: UserRow): Map<number, Provenance> {
  return new Map(by.map(([field, writer]) => [field, heard(site, writer)]));
}

/** What tells of it. */
export function cameDown(
  user: number,
  held: StoredUser | undefined,
  next: StoredUser,
  time: number,
): NewEvent {
  const before = held?.record ?? { id: user, fields: new Map<number, Uint8Array>() };
  const data = { version: next.version, fields: changedFields(before, next.record).map(showField) };
  const type = held === undefined ? 'user.added' : 'user.changed';
  return { type, time, user, origin: 'gateway', data };
}
