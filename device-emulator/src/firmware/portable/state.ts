import { sameBytes } from '@whorl/protocol';
import type { Body } from '@whorl/protocol';
import type { Op } from '../ops.ts';
import { type UserTable } from '../users.ts';
import { Files } from './files.ts';
import { storedOperators, storedTasks } from './lists.ts';
import type { ListedTask, Operator } from './lists.ts';
import type { PORTABLE_OPS } from './rows.ts';
import type { Who } from './chart.ts';

export type Wish = Body<'sync.wish'>;
export type Change = Body<'journal.page'>['changes'][number];
export interface Answered {
  readonly seq: number;
  readonly user: number;
  readonly result: Body<'journal.settle'>['answers'][number]['result'];
  readonly reason: string;
}
export interface Options {
  readonly automatic: boolean;
  /** Also download data in an automatic sync; else only send. */
  readonly data: boolean;
  readonly files: boolean;
}

export type PortableOp = Extract<Op, { name: keyof typeof PORTABLE_OPS }>;

/** The table that a slice is built in, beside the live one. */
export interface NextTable {
  readonly task: number;
  readonly users: UserTable;
}

/** Answers of the last sync that are kept for the display. */
const ANSWERS_KEPT = 200;
const NEW_OPTIONS: Options = { automatic: true, data: true, files: false };

/** What only a portable terminal keeps without power. */
export class PortableState {
  who: Who = 'rest';
  /** Who is logged in, or was last; 0 for nobody. */
  operator = 0;
  /** Wrong PINs in a row. */
  wrong = 0;
  mode: 'online' | 'offline' = 'online';
  options: Options = NEW_OPTIONS;
  wish: Wish | undefined;
  wishes = 0;
  /** The wish that the gateway ended last. */
  ended = 0;
  message: { readonly colour: 'green' | 'red'; readonly text: string } | undefined;
  /** Task whose slice the live table is; `undefined` until it has synced once. */
  synced: number | undefined;
  next: NextTable | undefined;
  tasks: readonly ListedTask[] = [];
  operators: readonly Operator[] = [];
  seq = 0;
  readonly files = new Files();
  readonly #changes = new Map<number, Change>();
  #answers: readonly Answered[] = [];

  /** Unsent changes, by ascending number. */
  get changes(): readonly Change[] {
    return [...this.#changes.values()].sort((a, b) => a.seq - b.seq);
  }

  get unsent(): number {
    return this.#changes.size;
  }

  changeOf(user: number): Change | undefined {
    return this.#changes.get(user);
  }

  /** What became of what was sent last. */
  get answers(): readonly Answered[] {
    return this.#answers;
  }

  reset(): void {
    this.who = 'rest';
    this.operator = this.wrong = 0;
    this.mode = 'online';
    this.options = NEW_OPTIONS;
    this.wish = this.message = this.synced = this.next = undefined;
    this.wishes = this.seq = this.ended = 0;
    this.tasks = [];
    this.operators = [];
    this.files.clear();
    this.#changes.clear();
    this.#answers = [];
  }

  /**
   * @param live the table that users are held in now
   * @returns the live table from now on
   */
  apply(op: PortableOp, live: UserTable): UserTable {
    switch (op.name) {
      case 'opened':
        this.next = { task: op.task, users: live.copy() };
        return live;
      case 'nextPut':
        this.next?.users.put(op.user, { bytes: op.bytes, digest: op.digest });
        return live;
      case 'nextDropped':
        this.next?.users.drop(op.user);
        return live;
      case 'nextGone':
        this.next = undefined;
        return live;
      case 'swapped': {
        const users = this.next?.users ?? live;
        this.synced = this.next?.task ?? this.synced;
        this.next = undefined;
        this.#changes.clear();
        return users;
      }
      default:
        this.#note(op);
        return live;
    }
  }

  /** The changes that make this state out of nothing. */
  *snapshot(live: UserTable): Generator<Op> {
    const { who, operator, mode, options, seq, wishes } = this;
    yield { name: 'who', who, operator };
    yield { name: 'pins', wrong: this.wrong };
    yield { name: 'mode', mode };
    yield { name: 'options', options };
    if (this.synced !== undefined) yield { name: 'synced', task: this.synced };
    yield { name: 'unwished', ended: this.ended };
    if (this.wish !== undefined) yield { name: 'wished', ...this.wish };
    for (const { reason, ...answer } of this.#answers)
      yield { name: 'settled', ...answer, bytes: Buffer.from(reason) };
    for (const change of this.#changes.values()) yield { name: 'journaled', ...change };
    yield { name: 'counters', seq, wishes };
    if (this.message !== undefined)
      yield { name: 'message', colour: this.message.colour, bytes: Buffer.from(this.message.text) };
    yield { name: 'tasks', bytes: storedTasks.write(this.tasks) };
    yield { name: 'operators', bytes: storedOperators.write(this.operators) };
    yield* this.files.snapshot();
    if (this.next !== undefined) yield* nextSnapshot(this.next, live);
  }

  #note(
    op: Exclude<PortableOp, { name: 'opened' | 'nextPut' | 'nextDropped' | 'nextGone' | 'swapped' }>,
  ): void {
    switch (op.name) {
      case 'who':
        this.who = op.who;
        this.operator = op.operator;
        break;
      case 'pins':
        this.wrong = op.wrong;
        break;
      case 'mode':
        this.mode = op.mode;
        break;
      case 'options':
        this.options = op.options;
        break;
      case 'synced':
        this.synced = op.task;
        break;
      case 'message':
        this.message = op.colour === 'none' ? undefined : { colour: op.colour, text: textOf(op.bytes) };
        break;
      case 'tasks':
        this.tasks = storedTasks.read(op.bytes);
        break;
      case 'operators':
        this.operators = storedOperators.read(op.bytes);
        break;
      case 'fileOpened':
        this.files.open({ ...op, name: textOf(op.bytes) });
        break;
      case 'filePart':
        this.files.add(op.digest, op.bytes);
        break;
      case 'fileGone':
        this.files.drop(op.digest);
        break;
      default:
        this.#sync(op);
    }
  }

  #sync(
    op: Extract<
      PortableOp,
      { name: 'wished' | 'unwished' | 'journaled' | 'unjournaled' | 'settled' | 'counters' }
    >,
  ): void {
    switch (op.name) {
      case 'wished': {
        const { number, mode, task, operator, how } = op;
        this.wish = { number, mode, task, operator, how };
        this.wishes = number;
        this.message = undefined;
        this.#answers = [];
        break;
      }
      case 'unwished':
        this.wish = undefined;
        this.ended = op.ended;
        break;
      case 'journaled': {
        const { seq, user, what, operator, at } = op;
        this.#changes.set(user, { seq, user, what, operator, at });
        this.seq = Math.max(this.seq, seq);
        break;
      }
      case 'unjournaled':
        this.#changes.delete(op.user);
        break;
      case 'settled': {
        const { seq, user, result } = op;
        if (this.#changes.get(user)?.seq === seq) this.#changes.delete(user);
        this.#answers = [...this.#answers, { seq, user, result, reason: textOf(op.bytes) }].slice(
          -ANSWERS_KEPT,
        );
        break;
      }
      case 'counters':
        this.seq = op.seq;
        this.wishes = op.wishes;
    }
  }
}

/** By how the next table differs from the live one, of which it is a copy when it is opened. */
function* nextSnapshot({ task, users }: NextTable, live: UserTable): Generator<Op> {
  yield { name: 'opened', task };
  for (const [user, { digest, bytes }] of users.entries()) {
    const held = live.get(user);
    if (held === undefined || !sameBytes(held.digest, digest)) yield { name: 'nextPut', user, digest, bytes };
  }
  for (const [user] of live.entries()) if (users.get(user) === undefined) yield { name: 'nextDropped', user };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
