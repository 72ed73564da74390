import { fieldDigest, sameBytes } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { Former, Provenance, StoredUser } from '../store/store.ts';

/** So many former values of a field are remembered; a terminal that was away longer is asked about (conflict). */
const MOST_FORMER = 4;

/** A user's next version, with who wrote each field, and what fields had before. */
export function nextVersion(
  held: StoredUser | undefined,
  record: UserRecord,
  by: Provenance | ReadonlyMap<number, Provenance>,
): StoredUser {
  const version = (held?.version ?? 0) + 1;
  const provenance = new Map<number, Provenance>();
  for (const [number, value] of record.fields) {
    const mine = held?.record.fields.get(number);
    const known = held?.provenance.get(number);
    const same = mine !== undefined && sameBytes(mine, value);
    const kept = same ? known : undefined;
    const writer = 'origin' in by ? (kept ?? by) : (by.get(number) ?? kept);
    if (writer === undefined) continue;
    const { since: _, ...written } = writer;
    const since = same ? known?.since : version;
    provenance.set(number, since === undefined ? written : { ...written, since });
  }
  return { record, version, provenance, former: formerOf(held, record, version) };
}

function formerOf(
  held: StoredUser | undefined,
  record: UserRecord,
  version: number,
): ReadonlyMap<number, readonly Former[]> {
  const former = new Map(held?.former);
  for (const [number, value] of held?.record.fields ?? []) {
    const next = record.fields.get(number);
    if (next !== undefined && sameBytes(next, value)) continue;
    const digest = fieldDigest(number, value);
    const others = (former.get(number) ?? []).filter((one) => !sameBytes(one.digest, digest));
    const from = held?.provenance.get(number)?.since ?? 0;
    former.set(number, [...others, { digest, from, until: version }].slice(-MOST_FORMER));
  }
  return former;
}

/**
 * The digests of the fields that a user had at a version, by field number; `undefined` when that is not known. For the
 * fields that changed since: a terminal says whether this is what it holds.
 */
export function fieldsAt(user: StoredUser, version: number): ReadonlyMap<number, Uint8Array> | undefined {
  if (version > user.version) return undefined;
  const fields = new Map<number, Uint8Array>();
  for (const number of new Set([...user.record.fields.keys(), ...(user.former?.keys() ?? [])])) {
    const digest = fieldAt(user, number, version);
    if (digest === 'unknown') return undefined;
    if (digest !== 'vacant') fields.set(number, digest);
  }
  return fields;
}

function fieldAt(user: StoredUser, number: number, version: number): Uint8Array | 'vacant' | 'unknown' {
  const value = user.record.fields.get(number);
  if (value !== undefined) {
    const since = user.provenance.get(number)?.since;
    if (since === undefined) return 'unknown';
    if (since <= version) return fieldDigest(number, value);
  }
  const former = user.former?.get(number) ?? [];
  const then = former.find(({ from, until }) => from <= version && version < until);
  if (then !== undefined) return then.from === 0 ? 'unknown' : then.digest;
  const [oldest] = former;
  const forgotten = former.length === MOST_FORMER && oldest !== undefined && oldest.from > version;
  return forgotten ? 'unknown' : 'vacant';
}
