import { fieldDigest, recordOf, recordSize, sameBytes, writeRecord } from '@whorl/protocol';
import type { SiteBase } from '../store/sites.ts';
import type { Conflict, Provenance, StoredUser } from '../store/store.ts';
import { told } from './names.ts';
import type { Offer, Writer } from './requests.ts';

// What a satellite offers to its master: pure.

/** A satellite's user and all that is known of what the master has. */
export interface Mine {
  readonly site: string;
  readonly user: number;
  readonly held: StoredUser | undefined;
  readonly base: SiteBase | undefined;
  /** Of this user. */
  readonly conflicts: readonly Conflict[];
  /** How far the master has got the log here: what was handed to it later, it lost with its database. */
  readonly heard: number;
}

export interface Offered {
  readonly row: Offer;
  readonly blobs: readonly Uint8Array[];
  readonly bytes: number;
  /** Version that is offered with it. */
  readonly version: number;
  /** Conflicts that the master has to decide from now on. */
  readonly handed: readonly Conflict[];
}

/**
 * What of a user the master has to hear of: fields that are otherwise here than the master sent them, and what terminals
 * have that the merge here did not take. Each goes with who wrote it, so that the master merges it as if it had read
 * it from the terminal itself.
 * @param firstBlob index of the first blob in the message
 */
export function offerOf(mine: Mine, firstBlob: number): Offered | undefined {
  const { site, user, held, base, heard } = mine;
  const parts = new Map<string, { by: Writer; fields: Map<number, Uint8Array> }>();
  const add = (by: Provenance | undefined, field: number, value: Uint8Array): void => {
    const writer = told(site, by ?? { origin: 'gateway', time: 0 });
    const key = JSON.stringify(writer);
    const part = parts.get(key) ?? { by: writer, fields: new Map<number, Uint8Array>() };
    part.fields.set(field, value);
    parts.set(key, part);
  };
  for (const field of held === undefined ? [] : changedSince(held, base))
    add(held?.provenance.get(field), field, held?.record.fields.get(field) ?? new Uint8Array());
  const handed = mine.conflicts.filter(
    ({ state, kind, handed: at = 0 }) => kind !== 'two-people' && (state === 'open' || at > heard),
  );
  for (const { theirs } of handed)
    for (const [field, value] of theirs.record.fields) add(theirs.provenance.get(field), field, value);
  if (parts.size === 0) return undefined;
  const ordered = [...parts.values()].sort((a, b) => a.by.time - b.by.time);
  const records = ordered.map(({ fields }) => recordOf(user, fields));
  return {
    row: {
      user,
      base: base?.version ?? 0,
      born: base?.born ?? '',
      parts: ordered.map(({ by }, index) => ({ by, blob: firstBlob + index })),
    },
    blobs: records.map(writeRecord),
    bytes: records.reduce((sum, record) => sum + recordSize(record), 100 * records.length),
    version: held?.version ?? 0,
    handed,
  };
}

/** Numbers of the fields that are otherwise than the master sent them; all when it did not send the user. */
export function changedSince({ record }: StoredUser, base: SiteBase | undefined): number[] {
  return [...record.fields]
    .filter(([field, value]) => {
      const known = base?.fields.get(field);
      return known === undefined || !sameBytes(known, fieldDigest(field, value));
    })
    .map(([field]) => field);
}
