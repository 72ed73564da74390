import {
  BITMAP_BYTES,
  chunkSize,
  DIGEST_BYTES,
  DIGESTS_PER_PAGE,
  fieldDigest,
  LOGS_PER_PAGE,
  LOG_RECORD_BYTES,
  readRecord,
  sameBytes,
  SYMBOL_BYTES,
  writeRecord,
} from '@whorl/protocol';
import type { Body, Capabilities, Message, Refusal, UserRecord } from '@whorl/protocol';
import { begin, commit, takeChunk } from './incoming.ts';
import type { Target } from './incoming.ts';
import type { Desk } from './desk.ts';
import { answerPortable, tableOf } from './portable/answers.ts';
import type { Op } from './ops.ts';

/** What it can do, whatever it says. */
function reallyCan({ model, lacks }: Desk): Capabilities {
  let can: Capabilities = model.capabilities;
  for (const lack of lacks) can = { ...can, ...lack };
  return can;
}

/** Frames, a reason to refuse, or nothing for what is not answered. */
export type Answer = Uint8Array | readonly Uint8Array[] | Refusal | undefined;

/** Carries out a request. @throws WhorlError FLASH_FAILED; PowerCut */
export function answer(desk: Desk, message: Message): Answer {
  return desk.refuses?.(message) ?? carriedOut(desk, message);
}

function carriedOut(desk: Desk, message: Message): Answer {
  switch (message.name) {
    case 'hello':
      return welcome(desk);
    case 'group.set':
      desk.join(message.body);
      return desk.reply('group.taken', {});
    case 'poll':
      return desk.reply('idle', {});
    case 'logs.read':
      return readLogs(desk, message.body);
    case 'clock.set':
      return setClock(desk, message.body);
    case 'clock.read':
      if (!reallyCan(desk).does.clock) return 'unknown-message';
      return desk.reply('clock.is', { clock: desk.store.shown() });
    case 'user.pull':
      return offerUser(desk, message.body);
    case 'users.remove':
      return removeUsers(desk, message.body);
    case 'users.digests':
      return listUsers(desk, message.body);
    case 'sketch.read':
      return sketch(desk, message.body);
    case 'transfer.begin':
      desk.conversation.shared.delete(message.body.transfer);
      begin(desk.store, message.body);
      return tellArrived(desk, message.body.transfer, 0);
    case 'transfer.share':
      begin(desk.store, message.body);
      desk.conversation.shared.set(message.body.transfer, message.body.key.slice());
      return tellArrived(desk, message.body.transfer, 0);
    case 'transfer.announce':
      desk.conversation.shared.delete(message.body.transfer);
      begin(desk.store, message.body);
      return undefined;
    case 'transfer.ask':
      return tellArrived(desk, message.body.transfer, message.body.from);
    case 'chunk':
      takeChunk(desk.store, message.body);
      return undefined;
    case 'transfer.fetch':
      return sendChunks(desk, message.body);
    case 'transfer.commit':
      return commitTransfer(desk, message.body);
    default:
      return answerPortable(desk, message);
  }
}

function welcome(desk: Desk): Uint8Array {
  const { state } = desk.store;
  const { model } = desk;
  desk.conversation.slice = false;
  return desk.reply('welcome', {
    serial: desk.serial,
    model: model.name,
    firmware: model.firmware,
    boots: state.boots,
    clock: desk.store.shown(),
    users: state.users.size,
    table: state.users.digest,
    log: state.log.state(state.epoch),
    capabilities: model.capabilities,
  });
}

/** Bytes of a message's body that fit into a frame of this terminal. */
function bodyRoom(desk: Desk): number {
  return chunkSize(desk.conversation.session, desk.model.capabilities.mtu) + CHUNK_FIELDS_BYTES;
}

/** Transfer and index, which {@link chunkSize} has subtracted. */
const CHUNK_FIELDS_BYTES = 4;
/** Epoch, first and last, users, and the number of records. */
const LOGS_HEAD_BYTES = 17;
/** The table's digest, and the number of users. */
const USERS_HEAD_BYTES = 17;
const USER_BYTES = 20;

function readLogs(desk: Desk, body: Body<'logs.read'>): Uint8Array {
  const { state } = desk.store;
  desk.conversation.readTo = body.after;
  const fitting = Math.floor((bodyRoom(desk) - LOGS_HEAD_BYTES) / LOG_RECORD_BYTES);
  const records = state.log.page(body.after, Math.min(LOGS_PER_PAGE, fitting));
  return desk.reply('logs.page', { log: state.log.state(state.epoch), users: state.users.size, records });
}

function setClock(desk: Desk, body: Body<'clock.set'>): Uint8Array {
  const before = desk.store.shown();
  const step = Math.abs(body.clock - before);
  const detail = Math.min(0xffff, Math.round(step / 1000));
  const entries = step === 0 ? [] : [{ kind: 'terminal.clock.set', origin: 'gateway', detail } as const];
  desk.store.change([desk.store.clockAt(body.clock)], entries);
  return desk.reply('clock.was', { clock: before });
}

function offerUser(desk: Desk, body: Body<'user.pull'>): Uint8Array | Refusal {
  const held = desk.store.state.users.get(body.user);
  if (held === undefined) return 'no-such-user';
  const { session, offers } = desk.conversation;
  const { rest, same } = unknownPart(readRecord(held.bytes), body.known);
  const { transfer, head } = offers.add(writeRecord(rest), chunkSize(session, desk.model.capabilities.mtu));
  return desk.reply('transfer.offered', { transfer, ...head, user: held.digest, same });
}

/** What the gateway does not have of a user. */
function unknownPart(
  record: UserRecord,
  known: Body<'user.pull'>['known'],
): { readonly rest: UserRecord; readonly same: number[] } {
  const digests = new Map(known.map(({ field, digest }) => [field, digest]));
  const fields = new Map(record.fields);
  const same: number[] = [];
  for (const [number, value] of record.fields) {
    const digest = digests.get(number);
    if (digest === undefined) continue;
    if (!sameBytes(fieldDigest(number, value).subarray(0, digest.length), digest)) continue;
    fields.delete(number);
    same.push(number);
  }
  return { rest: { id: record.id, fields }, same };
}

function removeUsers(desk: Desk, body: Body<'users.remove'>): Uint8Array | Refusal {
  const users = tableOf(desk);
  if (users === undefined) return 'no-such-slice';
  const held = [...new Set(body.users)].filter((user) => users.get(user) !== undefined);
  if (desk.conversation.slice) {
    const ops = held.map((user): Op => ({ name: 'nextDropped', user }));
    desk.store.change(ops, []);
    return desk.reply('users.removed', { users: desk.store.state.users.size });
  }
  if (held.some((user) => desk.store.state.changedSince(user, body.after))) return 'changed-here';
  const ops = held.map((user): Op => ({ name: 'dropped', user }));
  const entries = held.map((user) => ({ kind: 'user.deleted', origin: 'gateway', user }) as const);
  desk.store.change([...ops, ...forgetting(desk, body.users)], entries);
  return desk.reply('users.removed', { users: desk.store.state.users.size });
}

/** Who is removed for good is not in a slice that is half here either, and not told of. */
function forgetting({ store }: Desk, users: readonly number[]): Op[] {
  const { portable } = store.state;
  return users.flatMap((user): Op[] => [
    ...(portable.next?.users.get(user) === undefined ? [] : [{ name: 'nextDropped', user } as const]),
    ...(portable.changeOf(user) === undefined ? [] : [{ name: 'unjournaled', user } as const]),
  ]);
}

function listUsers(desk: Desk, body: Body<'users.digests'>): Uint8Array | Refusal {
  const users = tableOf(desk);
  if (users === undefined) return 'no-such-slice';
  const fitting = Math.floor((bodyRoom(desk) - USERS_HEAD_BYTES) / USER_BYTES);
  const page = users.page(body.after, Math.min(DIGESTS_PER_PAGE, fitting)).flatMap((id) => {
    const held = users.get(id);
    return held === undefined ? [] : [{ id, digest: held.digest }];
  });
  return desk.reply('users.page', { table: users.digest, users: page });
}

function sketch(desk: Desk, { from, count }: Body<'sketch.read'>): Uint8Array | Refusal {
  const users = tableOf(desk);
  if (users === undefined) return 'no-such-slice';
  const fitting = Math.floor((bodyRoom(desk) - DIGEST_BYTES) / SYMBOL_BYTES);
  return desk.reply('sketch.page', {
    table: users.digest,
    symbols: users.symbols(from, Math.min(count, fitting)),
  });
}

function tellArrived(desk: Desk, transfer: number, from: number): Uint8Array | Refusal {
  const arrived = desk.store.state.staging.get(transfer)?.arrived;
  if (arrived === undefined) return 'no-such-transfer';
  return desk.reply('transfer.state', {
    transfer,
    received: arrived.count,
    ...arrived.page(from, BITMAP_BYTES),
  });
}

function sendChunks(desk: Desk, body: Body<'transfer.fetch'>): readonly Uint8Array[] | Refusal {
  const { transfer } = body;
  const chunks = desk.conversation.offers.chunks(transfer, body.first, body.count);
  if (chunks === undefined) return 'no-such-transfer';
  if (chunks.length === 0) return 'malformed';
  return chunks.map((chunk) => desk.reply('chunk', { transfer, ...chunk }));
}

/** Users come to a portable terminal as slices only. */
function targetOf(desk: Desk): Target | undefined {
  const users = tableOf(desk);
  const isNext = desk.conversation.slice;
  return users === undefined || (desk.portable !== undefined && !isNext) ? undefined : { users, isNext };
}

function commitTransfer(desk: Desk, body: Body<'transfer.commit'>): Uint8Array | Refusal {
  const done = commit(desk.store, reallyCan(desk), body, targetOf(desk), desk.model.quirks.has('names-cut'));
  if (typeof done === 'string') return done;
  return desk.reply('transfer.committed', {
    ...{ transfer: body.transfer, ...done },
    users: desk.store.state.users.size,
  });
}
