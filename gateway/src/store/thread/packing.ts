import { readRecord, writeRecord } from '@whorl/protocol';
import type { Provenance, StoredUser, UserChange } from '../store.ts';
import { readFormer, writeFormer } from '../tables/former.ts';

// A user is maps of small objects, which cost more to clone than to store. As bytes and text it is cloned at once.

interface PackedUser {
  readonly record: Uint8Array;
  readonly version: number;
  readonly provenance: string;
  readonly former: Uint8Array | undefined;
}

type PackedChange = Omit<UserChange, 'next'> & { readonly next: PackedUser | undefined };

/** How arguments and answer of a method cross; those of others are cloned as they are. */
interface Packing {
  readonly pack?: (given: readonly unknown[]) => readonly unknown[];
  readonly unpack?: (given: readonly unknown[]) => readonly unknown[];
  readonly packAnswer?: (value: unknown) => unknown;
  readonly unpackAnswer?: (value: unknown) => unknown;
}

function packUser({ record, version, provenance, former }: StoredUser): PackedUser {
  return {
    record: writeRecord(record),
    version,
    provenance: JSON.stringify([...provenance]),
    former: former === undefined ? undefined : writeFormer(record.id, former),
  };
}

function unpackUser({ record, version, provenance, former }: PackedUser): StoredUser {
  const user = {
    record: readRecord(record),
    version,
    provenance: new Map(JSON.parse(provenance) as [number, Provenance][]),
  };
  return former === undefined ? user : { ...user, former: readFormer(former) };
}

function packChange(change: UserChange): PackedChange {
  return { ...change, next: change.next === undefined ? undefined : packUser(change.next) };
}

function unpackChange(change: PackedChange): UserChange {
  return { ...change, next: change.next === undefined ? undefined : unpackUser(change.next) };
}

/** Of lists of plain objects: text is made and read faster than they are cloned. */
const asText: Packing = {
  packAnswer: (value) => (value === undefined ? undefined : JSON.stringify(value)),
  unpackAnswer: (value): unknown => (typeof value === 'string' ? JSON.parse(value) : value),
};
const asTextBothWays: Packing = {
  ...asText,
  pack: (given) => [JSON.stringify(given)],
  unpack: ([text]) => JSON.parse(String(text)) as unknown[],
};

/** By part and method. What arrives is what the other thread sent, so that its types are known. */
export const PACKINGS: ReadonlyMap<string, Packing> = new Map<string, Packing>([
  [
    'store.user',
    {
      packAnswer: (value) => (value === undefined ? undefined : packUser(value as StoredUser)),
      unpackAnswer: (value) => (value === undefined ? undefined : unpackUser(value as PackedUser)),
    },
  ],
  ['store.recordIntake', asTextBothWays],
  ['store.addEvents', asTextBothWays],
  ['store.settleLedger', asTextBothWays],
  ['store.markSending', asTextBothWays],
  ['store.writeLedger', asTextBothWays],
  ['store.events', asText],
  ['store.users', asText],
  ['store.ledger', asText],
  ['store.ledgerOf', asText],
  ['store.dueLedger', asText],
  ['store.duePulls', asText],
  [
    'store.saveUser',
    {
      ...asText,
      pack: ([change]) => [packChange(change as UserChange)],
      unpack: ([change]) => [unpackChange(change as PackedChange)],
    },
  ],
  [
    'store.saveUsers',
    {
      ...asText,
      pack: ([changes]) => [(changes as UserChange[]).map(packChange)],
      unpack: ([changes]) => [(changes as PackedChange[]).map(unpackChange)],
    },
  ],
]);
