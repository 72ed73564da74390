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
    const kept = mine !== undefined && sameBytes(mine, value) ? known : undefined;
    const writer = 'origin' in by ? (kept ?? by) : (by.get(number) ?? kept);
    if (writer !== undefined) provenance.set(number, writer);
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
    former.set(number, [...others, { digest, until: version }].slice(-MOST_FORMER));
  }
  return former;
}
