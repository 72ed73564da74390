import { CHANGES_PER_PAGE, chunkSize, FILES_PER_PAGE, sameBytes } from '@whorl/protocol';
import type { Body, Message, Refusal } from '@whorl/protocol';
import type { Desk } from '../desk.ts';
import type { Op } from '../ops.ts';
import type { UserTable } from '../users.ts';
import { compareNames } from './files.ts';
import { storedOperators, storedTasks } from './lists.ts';
import type { Portable } from './portable.ts';

/** A request that only portable terminals answer, with the side of the terminal that does. */
interface At extends Desk {
  readonly portable: Portable;
}

type Answer = Uint8Array | Refusal;

/**
 * The users that requests are about: the next table while it is open.
 * @returns `undefined` when it was open and the operator has cancelled
 */
export function tableOf({ store, conversation }: Desk): UserTable | undefined {
  return conversation.slice ? store.state.portable.next?.users : store.state.users;
}

/** Carries out a request for portable terminals. @throws WhorlError FLASH_FAILED; PowerCut */
export function answerPortable(desk: Desk, message: Message): Answer {
  const { portable } = desk;
  if (portable === undefined) return 'unknown-message';
  portable.heard();
  const at: At = { ...desk, portable };
  switch (message.name) {
    case 'sync.ask':
      desk.conversation.slice = false;
      return tellWish(at);
    case 'supply.tell':
      portable.setSupply(message.body.supply.present);
      return tellWish(at);
    case 'sync.tell':
      return hear(at, message.body);
    case 'journal.read':
      return readJournal(at, message.body);
    case 'journal.settle':
      return settle(at, message.body);
    case 'slice.open':
      return openSlice(at, message.body);
    case 'slice.swap':
      return swapSlice(at, message.body);
    case 'slice.drop':
      return dropSlice(at);
    case 'tasks.set':
    case 'operators.set':
      return takeList(at, message);
    default:
      return answerFiles(at, message);
  }
}

function answerFiles(at: At, message: Message): Answer {
  switch (message.name) {
    case 'file.open':
      return openFile(at, message.body);
    case 'files.read':
      return readFiles(at, message.body);
    case 'files.remove':
      return removeFile(at, message.body);
    default:
      // What a terminal sends, a terminal does not answer.
      return 'unknown-message';
  }
}

function tellWish({ store, reply }: At): Uint8Array {
  const { wish = NO_WISH, unsent } = store.state.portable;
  return reply('sync.wish', { ...wish, how: { ...wish.how, unsent: unsent > 0 } });
}

const NO_WISH: Body<'sync.wish'> = {
  number: 0,
  mode: 'none',
  task: 0,
  operator: 0,
  how: { forget: false, files: false, automatic: false, unsent: false },
};

function hear({ portable, store, conversation, reply }: At, body: Body<'sync.tell'>): Uint8Array {
  const { cancelled } = portable.told({ ...body });
  if (!cancelled && store.state.portable.wish === undefined) conversation.slice = false;
  return reply('sync.heard', { how: { cancelled } });
}

/** Epoch and number of changes; a change. */
const JOURNAL_HEAD_BYTES = 5;
const CHANGE_BYTES = 17;

function readJournal({ store, reply, conversation, model }: At, { after }: Body<'journal.read'>): Uint8Array {
  const room = chunkSize(conversation.session, model.capabilities.mtu) - JOURNAL_HEAD_BYTES;
  const most = Math.min(CHANGES_PER_PAGE, Math.floor(room / CHANGE_BYTES));
  const { epoch, portable } = store.state;
  const changes = portable.changes.filter(({ seq }) => seq > after).slice(0, most);
  return reply('journal.page', { epoch, changes });
}

/** A change that was changed again has another number, and stays. */
function settle({ store, reply }: At, { answers }: Body<'journal.settle'>): Uint8Array {
  const { portable } = store.state;
  const bySeq = new Map(portable.changes.map((change) => [change.seq, change.user]));
  const ops = answers.flatMap(({ seq, result, reason }): Op[] => {
    const user = bySeq.get(seq);
    return user === undefined ? [] : [{ name: 'settled', seq, user, result, bytes: Buffer.from(reason) }];
  });
  store.change(ops, []);
  return reply('journal.settled', { left: portable.unsent });
}

function openSlice({ store, conversation, reply }: At, { task }: Body<'slice.open'>): Answer {
  const { portable } = store.state;
  if (portable.wish?.mode !== 'synchronise' || portable.wish.task !== task) return 'no-such-slice';
  if (portable.next?.task !== task) store.change([{ name: 'opened', task }], []);
  conversation.slice = true;
  const users = portable.next?.users;
  if (users === undefined) return 'no-such-slice';
  const live = sameBytes(users.digest, store.state.users.digest);
  return reply('slice.state', { users: users.size, table: users.digest, how: { live } });
}

function swapSlice({ store, conversation, reply }: At, { table }: Body<'slice.swap'>): Answer {
  const { portable, log } = store.state;
  const { next, wish } = portable;
  if (!conversation.slice || next === undefined || wish === undefined) return 'no-such-slice';
  if (!sameBytes(next.users.digest, table)) return 'other-table';
  if (portable.unsent > 0 && !wish.how.forget) return 'unsent-changes';
  store.change(
    [{ name: 'swapped' }],
    [{ kind: 'sync.stored', origin: 'gateway', detail: next.task & 0xffff }],
  );
  // Every change that a push could overwrite was sent, or was to be forgotten.
  store.state.known(log.last);
  conversation.slice = false;
  return reply('slice.swapped', {});
}

function dropSlice({ store, conversation, reply }: At): Uint8Array {
  conversation.slice = false;
  if (store.state.portable.next !== undefined) store.change([{ name: 'nextGone' }], []);
  return reply('slice.dropped', {});
}

type ListPage = Extract<Message, { name: 'tasks.set' | 'operators.set' }>;

/** Pages come in their order; the last one makes the list count. */
function takeList({ store, conversation: { pages }, reply }: At, message: ListPage): Answer {
  const { from, total } = message.body;
  const known = message.name === 'tasks.set' ? pages.tasks : pages.operators;
  if (from > 0 && from !== known.length) return 'malformed';
  if (message.name === 'tasks.set') {
    pages.tasks = [...pages.tasks.slice(0, from), ...message.body.tasks];
    if (pages.tasks.length === total)
      keepList(
        store,
        { name: 'tasks', bytes: storedTasks.write(pages.tasks) },
        storedTasks.write(store.state.portable.tasks),
      );
  } else {
    // The bytes of a frame are used again for the next one.
    const operators = message.body.operators.map((one) => ({ ...one, verifier: one.verifier.slice() }));
    pages.operators = [...pages.operators.slice(0, from), ...operators];
    if (pages.operators.length === total)
      keepList(
        store,
        { name: 'operators', bytes: storedOperators.write(pages.operators) },
        storedOperators.write(store.state.portable.operators),
      );
  }
  return reply('list.taken', {});
}

/** Flash wears out: the list of before is not written again. */
function keepList(store: Desk['store'], op: Op & { bytes: Uint8Array }, held: Uint8Array): void {
  if (!sameBytes(op.bytes, held)) store.change([op], []);
}

function openFile({ store, reply }: At, head: Body<'file.open'>): Uint8Array {
  const { files } = store.state.portable;
  const { name, kind, size, digest } = head;
  const known = files.get(digest);
  if (known?.name === name && known.size === size) return reply('file.state', { stored: known.stored });
  const others = files.named(name).filter((file) => file.stored < file.size);
  const gone = [...others, ...(known === undefined ? [] : [known])];
  const ops = gone.map((file): Op => ({ name: 'fileGone', digest: file.digest }));
  store.change(
    [...ops, { name: 'fileOpened', digest: digest.slice(), size, kind, bytes: Buffer.from(name) }],
    [],
  );
  return reply('file.state', { stored: 0 });
}

function readFiles({ store, reply }: At, { after }: Body<'files.read'>): Uint8Array {
  const all = store.state.portable.files.all();
  const files = all.filter(({ name }) => compareNames(name, after) > 0).slice(0, FILES_PER_PAGE);
  return reply('files.page', {
    files: files.map(({ name, kind, size, digest }) => ({ name, kind, size, digest })),
  });
}

function removeFile({ store, reply }: At, { name }: Body<'files.remove'>): Uint8Array {
  const ops = store.state.portable.files
    .named(name)
    .map((file): Op => ({ name: 'fileGone', digest: file.digest }));
  store.change(ops, []);
  return reply('files.removed', {});
}
