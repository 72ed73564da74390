import {
  batchDigest,
  codeOf,
  openChunk,
  patched,
  readBatch,
  readPatches,
  sameBytes,
  wholePatch,
} from '@whorl/protocol';
import type { Assembly, Body, Capabilities, Message, ObjectKind, Refusal, UserPatch } from '@whorl/protocol';
import { putFromGateway, withShortName } from './holding.ts';
import type { Put } from './holding.ts';
import type { Op } from './ops.ts';
import { takePart } from './portable/part.ts';
import type { State } from './state.ts';
import type { Entry, Store } from './store.ts';
import type { UserTable } from './users.ts';

/** Makes room for an object that is announced; what has arrived of the very same one stays. */
export function begin(
  store: Store,
  body: Body<'transfer.begin' | 'transfer.announce' | 'transfer.share'>,
): void {
  const { transfer, kind, size, chunk, digest } = body;
  const { staging } = store.state;
  const known = staging.find(body);
  if (known === transfer) return;
  if (known !== undefined) {
    store.change([{ name: 'renumbered', transfer: known, to: transfer }], [], false);
    return;
  }
  const oldest = staging.get(transfer) === undefined ? staging.inTheWay : undefined;
  const room: Op[] = oldest === undefined ? [] : [{ name: 'unstaged', transfer: oldest }];
  store.change([...room, { name: 'staged', transfer, kind, size, chunk, digest }], [], false);
}

/**
 * A chunk that was said to all, in clear when its object is one that only those may hold who were handed its key.
 * @param keys by transfer
 * @returns `undefined` when nobody made it who has the key
 */
export function openShared(
  keys: ReadonlyMap<number, Uint8Array>,
  message: Message & { readonly name: 'chunk' },
): Message | undefined {
  const { transfer, index, data } = message.body;
  const key = keys.get(transfer);
  if (key === undefined) return message;
  try {
    return { name: 'chunk', body: { transfer, index, data: openChunk(key, index, data) } };
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
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

/** Where users are put in place: live, or in the table that a slice is built in. */
export interface Target {
  readonly users: UserTable;
  readonly isNext: boolean;
}

/**
 * Puts the users of a complete object in place, all at one moment, or a part of a file behind what is stored of it.
 * @param target `undefined` when users can be put nowhere now
 * @param cutsNames its firmware has no room for long ones, and says nothing of it
 */
export function commit(
  store: Store,
  capabilities: Capabilities,
  body: Body<'transfer.commit'>,
  target: Target | undefined,
  cutsNames: boolean,
): Committed | Refusal {
  const staged = store.state.staging.get(body.transfer);
  if (staged === undefined) return 'no-such-transfer';
  if (!sameBytes(staged.head.digest, body.digest)) return 'no-such-transfer';
  if (!staged.arrived.complete) return 'incomplete';
  const gone: Op = { name: 'unstaged', transfer: body.transfer };
  const kind = store.state.staging.kindOf(staged);
  if (kind === 'file') return commitPart(store, staged, gone);
  if (target === undefined) return 'no-such-slice';
  const patches = readUsers(staged, kind);
  if (typeof patches === 'string') {
    // Kept, the same damaged object would be found complete when it is announced again.
    store.change([gone], []);
    return patches;
  }
  const after = target.isNext ? NEVER_HERE : body.after;
  const plan = planPuts(store.state, target, { capabilities, patches, after, cutsNames });
  store.change([...plan.ops, gone], plan.entries);
  if (!target.isNext && body.after <= store.state.log.last) store.state.known(body.after);
  const digests = plan.taken.map((id) => target.users.get(id)?.digest ?? new Uint8Array(0));
  return { digest: batchDigest(digests), refused: plan.refused };
}

/** Nobody changes the next table at the terminal. */
const NEVER_HERE = Number.POSITIVE_INFINITY;

function commitPart(store: Store, staged: Assembly, gone: Op): Committed | Refusal {
  const object = readObject(staged);
  if (typeof object === 'string') {
    store.change([gone], []);
    return object;
  }
  const digest = takePart(store, object, gone);
  return typeof digest === 'string' ? digest : { digest, refused: [] };
}

function readObject(staged: Assembly): Uint8Array | Refusal {
  try {
    return staged.finish();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return 'corrupt';
  }
}

function readUsers(staged: Assembly, kind: ObjectKind): UserPatch[] | Refusal {
  try {
    const object = staged.finish();
    return kind === 'patches' ? readPatches(object) : readBatch(object).map(wholePatch);
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
  { users, isNext }: Target,
  put: {
    readonly capabilities: Capabilities;
    readonly patches: readonly UserPatch[];
    readonly after: number;
    readonly cutsNames: boolean;
  },
): Plan {
  const { patches, ...how } = put;
  const { capabilities } = how;
  const plan: Plan = { ops: [], entries: [], taken: [], refused: [] };
  const added = new Set<number>();
  for (const [index, patch] of patches.entries()) {
    const { id } = patch.changed;
    const room = added.has(id) ? 1 : capabilities.users - users.size - added.size;
    const put = planPut(state, users, { ...how, patch, room });
    if ('refused' in put) {
      plan.refused.push({ index, reason: put.refused });
      continue;
    }
    plan.taken.push(id);
    if (put.change === undefined) continue;
    if (users.get(id) === undefined) added.add(id);
    plan.ops.push(isNext ? { ...put.change.op, name: 'nextPut' } : put.change.op);
    // It is told once, when the next table becomes the live one.
    if (!isNext) plan.entries.push(put.change.entry);
  }
  return plan;
}

function planPut(
  state: State,
  users: UserTable,
  put: {
    readonly capabilities: Capabilities;
    readonly patch: UserPatch;
    readonly after: number;
    readonly room: number;
    readonly cutsNames: boolean;
  },
): Put {
  const { capabilities, patch, after, room } = put;
  const { id } = patch.changed;
  if (state.changedSince(id, after)) return { refused: 'changed-here' };
  const record = patched(users.record(id), patch);
  if (record === undefined) return { refused: 'other-base' };
  return putFromGateway(users, capabilities, put.cutsNames ? withShortName(record) : record, room);
}
