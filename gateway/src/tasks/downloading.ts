import { BATCH_MAX_USERS, sameBytes, USERS_PER_REMOVE } from '@whorl/protocol';
import type { Capabilities } from '@whorl/protocol';
import type { Slice } from '../settings/task.ts';
import type { LedgerRow } from '../store/store.ts';
import type { Outgoing, TerminalDriver } from '../terminals/driver.ts';
import type { PortableDriver } from '../terminals/portable.ts';
import { SyncFailure } from './failure.ts';
import type { TaskGround } from './ground.ts';
import { dropUser, putUser, sizeOf, sliced, tableDigest } from './slice.ts';
import { heldAt, heldFields } from './table.ts';
import type { SizedTable } from './table.ts';

/** Users go out in objects of about this size, seconds of a line: long enough to cost little, short enough to show progress. */
const BATCH_BYTES = 96 * 1024;
/** A table that is not as it should be is looked at again: it may have been one that an earlier session left. */
const ROUNDS = 3;
/** Local changes of a terminal's live table are none of the next one's. */
const NO_LOG = 0xffff_ffff;

/** What the download of a session works with. */
export interface Downloading {
  readonly ground: TaskGround;
  readonly driver: TerminalDriver;
  readonly portable: PortableDriver;
  readonly capabilities: Capabilities;
  readonly task: number;
  readonly slice: Slice;
  readonly table: SizedTable;
  /** How many users and bytes are to be sent. */
  readonly total: (users: number, bytes: number) => void;
  readonly sent: (users: number, bytes: number) => void;
  readonly removed: (users: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Brings a terminal's next table in line with the slice: what differs from it, and nothing else, crosses the line. Goes
 * on where an earlier session was cut off.
 * @returns the digest that the table has then; `undefined` when the live table has it already
 * @throws SyncFailure, and as the driver does
 */
export async function download(it: Downloading): Promise<Uint8Array | undefined> {
  const { table, portable, signal } = it;
  const opened = await portable.openSlice(it.task, signal);
  // A table that was complete when its session was cut off has yet to be swapped in.
  if (sameBytes(opened.table, tableDigest(table))) return opened.live ? undefined : opened.table;
  const held = await heldAt(it.ground.site, it.driver.name);
  let empty = opened.users === 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { different, missing, extra } = empty
      ? { different: [], missing: [...table.users.keys()], extra: [] }
      : await it.driver.compare(table.users, signal);
    empty = false;
    if (different.length + missing.length + extra.length === 0) return tableDigest(table);
    await removeAll(it, extra);
    await sendAll(
      it,
      [...missing, ...different].sort((a, b) => a - b),
      held,
    );
  }
  throw new SyncFailure('The terminal’s table does not become what it should be.');
}

async function removeAll(it: Downloading, users: readonly number[]): Promise<void> {
  for (let from = 0; from < users.length; from += USERS_PER_REMOVE) {
    const page = users.slice(from, from + USERS_PER_REMOVE);
    await it.driver.remove(page, {}, it.signal);
    it.removed(page.length);
  }
}

async function sendAll(
  it: Downloading,
  users: readonly number[],
  held: ReadonlyMap<number, LedgerRow>,
): Promise<void> {
  it.total(
    users.length,
    users.reduce((sum, id) => sum + (it.table.sizes.get(id) ?? 0), 0),
  );
  for (let from = 0; from < users.length;) {
    const { items, next } = await batchFrom(it, users, from, held);
    const { value } = await it.driver.push(items, { after: NO_LOG, open: false }, it.signal);
    for (const [index, outcome] of value.entries())
      if (outcome.kind === 'refused' && outcome.reason !== 'corrupt')
        throw new SyncFailure(
          `The terminal refused user ${items[index]?.record.id ?? 0}: ${outcome.reason}.`,
        );
    it.sent(
      next - from,
      items.reduce((sum, { record }) => sum + sizeOf(record), 0),
    );
    from = next;
  }
}

/** Users as they are now: whoever was changed or deleted since the table was made goes as that, or not at all. */
async function batchFrom(
  it: Downloading,
  users: readonly number[],
  from: number,
  held: ReadonlyMap<number, LedgerRow>,
): Promise<{ readonly items: readonly Outgoing[]; readonly next: number }> {
  const { store } = it.ground.site;
  const items: Outgoing[] = [];
  let size = 0;
  let next = from;
  for (; next < users.length && items.length < BATCH_MAX_USERS && size < BATCH_BYTES; next += 1) {
    const id = users[next] ?? 0;
    const user = await store.user(id);
    if (user === undefined) {
      dropUser(it.table, id);
      continue;
    }
    const record = sliced(user.record, it.slice, it.capabilities);
    putUser(it.table, record, user.version);
    size += sizeOf(record);
    items.push({ record, held: heldFields(user, held.get(id), it.slice, it.capabilities) });
  }
  return { items, next };
}
