import { batchDigest, codeOf, readBatch, sameBytes } from '@whorl/protocol';
import type { Assembly, Body, Capabilities, Refusal, UserRecord } from '@whorl/protocol';
import { putFromGateway } from './holding.ts';
import type { Op } from './ops.ts';
import type { State } from './state.ts';
import type { Entry, Store } from './store.ts';

/** Makes room for an object that is announced; what has arrived of the very same one stays. */
export function begin(store: Store, body: Body<'transfer.begin' | 'transfer.announce'>): void {
  const { transfer, size, chunk, digest } = body;
  const { staging } = store.state;
  const known = staging.find(body);
  if (known === transfer) return;
  if (known !== undefined) {
    store.change([{ name: 'renumbered', transfer: known, to: transfer }], [], false);
    return;
  }
  const oldest = staging.get(transfer) === undefined ? staging.inTheWay : undefined;
  const room: Op[] = oldest === undefined ? [] : [{ name: 'unstaged', transfer: oldest }];
  store.change([...room, { name: 'staged', transfer, size, chunk, digest }], [], false);
}

/** Keeps a chunk when it is one that is missing. */
export function takeChunk(store: Store, body: Body<'chunk'>): void {
  const { transfer, index, data } = body;
  if (!store.state.staging.wants(transfer, index, data)) return;
  store.change([{ name: 'arrived', transfer, index, bytes: data }], [], false);
}

export interface Committed {
  readonly digest: Uint8Array;
  readonly refused: { readonly index: number; readonly reason: Refusal }[];
}

/** Puts the users of a complete object in place, all at one moment. */
export function commit(
  store: Store,
  capabilities: Capabilities,
  body: Body<'transfer.commit'>,
): Committed | Refusal {
  const staged = store.state.staging.get(body.transfer);
  if (staged === undefined) return 'no-such-transfer';
  if (!sameBytes(staged.head.digest, body.digest)) return 'no-such-transfer';
  if (!staged.arrived.complete) return 'incomplete';
  const gone: Op = { name: 'unstaged', transfer: body.transfer };
  const records = readUsers(staged);
  if (typeof records === 'string') {
    // Kept, the same damaged object would be found complete when it is announced again.
    store.change([gone], []);
    return records;
  }
  const plan = planPuts(store.state, capabilities, records, body.after);
  store.change([...plan.ops, gone], plan.entries);
  const digests = plan.taken.map((id) => store.state.users.get(id)?.digest ?? new Uint8Array(0));
  return { digest: batchDigest(digests), refused: plan.refused };
}

function readUsers(staged: Assembly): UserRecord[] | Refusal {
  try {
    return readBatch(staged.finish());
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return code === 'TRANSFER_DIGEST' ? 'corrupt' : 'malformed';
  }
}

interface Plan {
  readonly ops: Op[];
  readonly entries: Entry[];
  readonly taken: number[];
  readonly refused: Committed['refused'];
}

function planPuts(
  state: State,
  capabilities: Capabilities,
  records: readonly UserRecord[],
  after: number,
): Plan {
  const plan: Plan = { ops: [], entries: [], taken: [], refused: [] };
  const added = new Set<number>();
  for (const [index, record] of records.entries()) {
    const room = added.has(record.id) ? 1 : capabilities.users - state.users.size - added.size;
    const put = state.changedSince(record.id, after)
      ? ({ refused: 'changed-here' } as const)
      : putFromGateway(state, capabilities, record, room);
    if ('refused' in put) {
      plan.refused.push({ index, reason: put.refused });
      continue;
    }
    plan.taken.push(record.id);
    if (put.change === undefined) continue;
    if (state.users.get(record.id) === undefined) added.add(record.id);
    plan.ops.push(put.change.op);
    plan.entries.push(put.change.entry);
  }
  return plan;
}
