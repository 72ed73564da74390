import { fieldDigest, fittingFields, sameBytes, sleep } from '@whorl/protocol';
import type { Capabilities, UserRecord } from '@whorl/protocol';
import type { Slice } from '../settings/task.ts';
import type { LedgerRow, StoredUser } from '../store/store.ts';
import { fieldsAt } from '../sync/former.ts';
import type { Site } from '../sync/site.ts';
import { membersOf } from './ground.ts';
import type { TaskGround } from './ground.ts';
import { putUser, sizeOf, sliced, slicedFields } from './slice.ts';
import type { Table } from './slice.ts';

/** A slice as it will be at a terminal, with how large each user is. */
export interface SizedTable extends Table {
  readonly sizes: Map<number, number>;
  /** As {@link TaskStore.births} told before they were read. */
  readonly births: Map<number, string>;
}

const PAGE = 1000;

/** Makes the table that a slice is at a terminal with these capabilities. @throws WhorlError STORE_*, VAULT_* */
export async function tableOf(
  ground: Pick<TaskGround, 'site' | 'name'>,
  slice: Slice,
  capabilities: Capabilities,
): Promise<SizedTable> {
  const { store, clock } = ground.site;
  const table: SizedTable = { users: new Map(), versions: new Map(), sizes: new Map(), births: new Map() };
  for await (const members of membersOf(ground, slice)) {
    for (const [id, birth] of await store.tasks.births(members.map(({ id }) => id)))
      table.births.set(id, birth);
    for (const { id } of members) {
      const user = await store.user(id);
      if (user === undefined) continue;
      const record = sliced(user.record, slice, capabilities);
      putUser(table, record, user.version);
      table.sizes.set(id, sizeOf(record));
    }
    // Lines and requests are waiting; a page of users takes tens of milliseconds.
    await sleep(clock, 0);
  }
  return table;
}

/** What a portable terminal got in its last sync session: a row for each user. */
export async function heldAt({ store }: Site, terminal: string): Promise<ReadonlyMap<number, LedgerRow>> {
  const held = new Map<number, LedgerRow>();
  for (let user = 0; ;) {
    const rows = await store.ledger({ terminal, limit: PAGE, after: { user, terminal } });
    const last = rows.at(-1);
    if (last === undefined) return held;
    for (const row of rows) if (row.delivered !== undefined) held.set(row.user, row);
    user = last.user;
  }
}

/** Digests of the fields that a terminal seems to hold of a user: those of the version that it got. */
export function heldFields(
  user: StoredUser,
  row: LedgerRow | undefined,
  slice: Slice,
  capabilities: Capabilities,
): ReadonlyMap<number, Uint8Array> | undefined {
  const fields = row?.delivered === undefined ? undefined : fieldsAt(user, row.delivered);
  return fields && fittingFields(slicedFields(fields, slice), capabilities);
}

/** Bytes of the fields that differ from those held; of the whole record when that is not known. */
export function changeSize(record: UserRecord, held: ReadonlyMap<number, Uint8Array> | undefined): number {
  if (held === undefined) return sizeOf(record);
  const fields = [...record.fields].filter(([number, value]) => {
    const before = held.get(number);
    return before === undefined || !sameBytes(before, fieldDigest(number, value));
  });
  return sizeOf({ id: record.id, fields: new Map(fields) });
}
