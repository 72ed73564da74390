import {
  credentialOf,
  fieldName,
  FIELDS,
  fitting,
  NO_DIGEST,
  recordDigest,
  recordSize,
  toggled,
} from '@whorl/protocol';
import type { Capabilities, UserRecord } from '@whorl/protocol';
import type { MergeKey } from '../settings/runtime.ts';
import type { Slice } from '../settings/task.ts';
import { inScope } from '../sync/scope.ts';
import type { Scope } from '../sync/scope.ts';

// Which users a task takes along, and what of them. Pure: the same slice of the same users is the same everywhere.

/** What membership is decided by. */
export interface Candidate {
  readonly id: number;
  readonly groups: readonly number[];
}

/** The site that a slice may name. */
export interface SliceSite {
  /** Name of the gateway. */
  readonly name: string;
  readonly scope: Scope;
}

/** Whether a user belongs to a slice. */
export function isMember({ who }: Slice, user: Candidate, site: SliceSite): boolean {
  switch (who.by) {
    case 'groups':
      return user.groups.some((group) => who.groups.includes(group));
    case 'users':
      return who.users.includes(user.id);
    case 'site':
      return who.site === site.name && belongs(user, site.scope);
  }
}

/** Where nothing goes out by itself, everybody belongs: nobody has said otherwise. */
function belongs({ groups }: Candidate, { autoSync, places }: Scope): boolean {
  return autoSync === 'off' || places.some((place) => inScope(autoSync, groups, place));
}

/** Whether a slice takes a field along. */
export function takesField({ only, without }: Slice, field: number): boolean {
  if (field === FIELDS.name.number) return true;
  if (without.some((key) => isAbout(key, field))) return false;
  return only === undefined || only.some((key) => isAbout(key, field));
}

/** Whether a key means a field: by its name, or by its kind. */
function isAbout(key: MergeKey, field: number): boolean {
  return key === fieldName(field) || key === credentialOf(field)?.kind;
}

/** What of a user goes to a terminal: the fields of the slice that it can hold. */
export function sliced(record: UserRecord, slice: Slice, capabilities: Capabilities): UserRecord {
  const fields = new Map([...record.fields].filter(([field]) => takesField(slice, field)));
  return fitting({ id: record.id, fields }, capabilities);
}

/** Those of some fields that may be at a terminal, whatever their values. */
export function slicedFields<T>(fields: ReadonlyMap<number, T>, slice: Slice): ReadonlyMap<number, T> {
  return new Map([...fields].filter(([field]) => takesField(slice, field)));
}

/** A slice as it will be at a terminal. */
export interface Table {
  /** Digest of each user. */
  readonly users: Map<number, Uint8Array>;
  /** Version of each at the gateway. */
  readonly versions: Map<number, number>;
}

export function putUser(table: Table, record: UserRecord, version: number): void {
  table.users.set(record.id, recordDigest(record));
  table.versions.set(record.id, version);
}

export function dropUser(table: Table, user: number): void {
  table.users.delete(user);
  table.versions.delete(user);
}

/** The digest that a terminal's table has when it holds just these. */
export function tableDigest({ users }: Pick<Table, 'users'>): Uint8Array {
  let digest: Uint8Array = NO_DIGEST;
  for (const one of users.values()) digest = toggled(digest, one);
  return digest;
}

/** Bytes of a user on the way, without what the line adds. */
export const sizeOf: (record: UserRecord) => number = recordSize;
