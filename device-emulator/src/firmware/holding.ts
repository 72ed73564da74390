import {
  canHold,
  credentialOf,
  fieldName,
  FIELDS,
  recordDigest,
  recordOf,
  sameBytes,
  writeRecord,
} from '@whorl/protocol';
import type { Capabilities, Refusal, UserRecord } from '@whorl/protocol';
import type { Op } from './ops.ts';
import type { Entry } from './store.ts';
import { changedFields, isSound } from './users.ts';
import type { UserTable } from './users.ts';

type PutOp = Extract<Op, { name: 'put' }>;

/** What a put of one user comes to. */
export type Put =
  | { readonly refused: Refusal }
  /** `change` undefined: the very same user is held already. */
  | { readonly change: { readonly op: PutOp; readonly entry: Entry } | undefined };

/** Why this terminal cannot hold such a record, whose bytes are `bytes`; `undefined` when it can. */
function unfit(capabilities: Capabilities, record: UserRecord, bytes: Uint8Array): Refusal | undefined {
  if (record.id === 0) return 'malformed';
  for (const [number, value] of record.fields)
    if (!canHold(capabilities, number, value)) return 'format-mismatch';
  return isSound(bytes) ? undefined : 'malformed';
}

/**
 * Replaces a user whole by a record from the gateway.
 * @param room how many users more than now can be held
 */
export function putFromGateway(
  users: UserTable,
  capabilities: Capabilities,
  record: UserRecord,
  room: number,
): Put {
  const bytes = writeRecord(record);
  const reason = unfit(capabilities, record, bytes);
  if (reason !== undefined) return { refused: reason };
  const held = users.get(record.id);
  if (held === undefined && room <= 0) return { refused: 'capacity-full' };
  const digest = recordDigest(record);
  if (held !== undefined && sameBytes(held.digest, digest)) return { change: undefined };
  const op: PutOp = { name: 'put', user: record.id, digest, bytes };
  return { change: { op, entry: { ...changeOf(users, record), origin: 'gateway' } } };
}

const SHORT_NAME_BYTES = 16;

/** A record whose name has no more bytes than a small display shows; whole letters, each. */
export function withShortName(record: UserRecord): UserRecord {
  const { number } = FIELDS.name;
  const name = record.fields.get(number);
  if (name === undefined || name.length <= SHORT_NAME_BYTES) return record;
  let end = SHORT_NAME_BYTES;
  // UTF-8: bytes that go on a letter are 10xxxxxx.
  while (end > 0 && ((name[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return recordOf(record.id, new Map([...record.fields, [number, name.subarray(0, end)]]));
}

/** How the log tells that a user becomes `after`: a new user or credential is an enrolment, all else an edit. */
export function changeOf(users: UserTable, after: UserRecord): Entry {
  const before = users.record(after.id);
  const added = changedFields(before, after).find(
    (number) =>
      credentialOf(number) !== undefined && after.fields.has(number) && before?.fields.has(number) !== true,
  );
  const kind = before === undefined || added !== undefined ? 'user.enrolled' : 'user.edited';
  return { kind, user: after.id, detail: added ?? 0 };
}

/** For people: what of this record the terminal cannot hold. */
export function unheldFields(capabilities: Capabilities, record: UserRecord): string[] {
  return [...record.fields]
    .filter(([number, value]) => !canHold(capabilities, number, value))
    .map(([number]) => fieldName(number) ?? number.toString());
}
