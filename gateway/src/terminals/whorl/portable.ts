import {
  ANSWERS_PER_SETTLE,
  chunkSize,
  DIGEST_BYTES,
  LISTED_NAME_BYTES,
  OPERATORS_PER_PAGE,
  REASON_BYTES,
  TASKS_PER_PAGE,
  VERIFIER_BYTES,
  WhorlError,
} from '@whorl/protocol';
import type { AnswerName, Body, RequestName } from '@whorl/protocol';
import { RefusedError } from '../../lines/answer.ts';
import type { Answer } from '../../lines/answer.ts';
import type { Priority } from '../../lines/priority.ts';
import type {
  JournalAnswer,
  JournalEntry,
  ListedTask,
  Operator,
  OutgoingFile,
  PortableDriver,
  SyncProgress,
  SyncWish,
} from '../portable.ts';
import { isTransferLost, sendObject } from './transfers.ts';
import type { Way } from './transfers.ts';

/** Bytes of a file that cross in one object: what is asked about at once, and what a bad end costs at most. */
const PART_BYTES = 32_768;
const OFFSET_BYTES = 4;
/** What stands in a frame around the items of a list. */
const AROUND_BYTES = 48;
/** Times that a part is begun anew before the file is given up. */
const MOST_TRIES = 3;
const MOST_U32 = 0xffff_ffff;

/** How the driver of a terminal speaks to it. */
export interface Speech {
  ask<Name extends RequestName>(
    name: Name,
    body: Body<Name>,
    priority: Priority,
    signal: AbortSignal,
  ): Promise<Answer<AnswerName<Name>>>;
  /** Does something that takes several requests. */
  watching<T>(work: () => Promise<T>): Promise<T>;
  way(priority: Priority, signal: AbortSignal): Way;
  nextTransfer(): number;
  mtu(): number;
}

/** What portable terminals that speak Whorl's own protocol can do besides. */
export class WhorlPortable implements PortableDriver {
  readonly #speech: Speech;

  constructor(speech: Speech) {
    this.#speech = speech;
  }

  async wish(signal: AbortSignal): Promise<SyncWish | undefined> {
    return wishOf((await this.#speech.ask('sync.ask', {}, 'live', signal)).body);
  }

  async supply(present: boolean, signal: AbortSignal): Promise<SyncWish | undefined> {
    return wishOf((await this.#speech.ask('supply.tell', { supply: { present } }, 'live', signal)).body);
  }

  async tell(progress: SyncProgress, signal: AbortSignal): Promise<{ readonly cancelled: boolean }> {
    const { number, stage, reason } = progress;
    const body = {
      number,
      stage,
      done: counted(progress.done),
      total: counted(progress.total),
      bytes: counted(progress.bytes),
      rate: counted(progress.rate),
      left: counted(progress.left),
      reason: cut(reason, REASON_BYTES),
    };
    return (await this.#speech.ask('sync.tell', body, 'live', signal)).body.how;
  }

  async journal(
    after: number,
    signal: AbortSignal,
  ): Promise<{ readonly epoch: number; readonly entries: readonly JournalEntry[] }> {
    const entries: JournalEntry[] = [];
    for (let from = after; ;) {
      const { body } = await this.#speech.ask('journal.read', { after: from }, 'pull', signal);
      entries.push(...body.changes);
      const last = body.changes.at(-1);
      if (last === undefined) return { epoch: body.epoch, entries };
      from = last.seq;
    }
  }

  async settle(answers: readonly JournalAnswer[], signal: AbortSignal): Promise<void> {
    const told = answers.map(({ seq, result, reason }) => ({
      seq,
      result,
      reason: cut(reason, REASON_BYTES),
    }));
    for (const [, some] of this.#pages(told, ANSWERS_PER_SETTLE, REASON_BYTES + 6))
      await this.#speech.ask('journal.settle', { answers: some }, 'pull', signal);
  }

  async openSlice(
    task: number,
    signal: AbortSignal,
  ): Promise<{ readonly users: number; readonly table: Uint8Array; readonly live: boolean }> {
    const { users, table, how } = (await this.#speech.ask('slice.open', { task }, 'push', signal)).body;
    return { users, table: table.slice(), live: how.live };
  }

  async swapSlice(table: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#speech.ask('slice.swap', { table }, 'push', signal);
  }

  async dropSlice(signal: AbortSignal): Promise<void> {
    await this.#speech.ask('slice.drop', {}, 'push', signal);
  }

  async file(file: OutgoingFile, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    let stored = await this.#openFile(file, signal);
    onBytes(stored);
    for (let tries = 0; stored < file.size;) {
      const sent = await this.#sendPart(file, stored, signal);
      tries = sent === undefined ? tries + 1 : 0;
      if (tries === MOST_TRIES)
        throw new WhorlError('TERMINAL_CHUNKS', `file ${file.name}: the part at ${stored} is not taken`);
      stored = sent ?? (await this.#openFile(file, signal));
      onBytes(stored);
    }
  }

  async keepFiles(names: readonly string[], signal: AbortSignal): Promise<void> {
    const kept = new Set(names);
    const gone = new Set<string>();
    for (let after = ''; ;) {
      const { files } = (await this.#speech.ask('files.read', { after }, 'file', signal)).body;
      for (const { name } of files) if (!kept.has(name)) gone.add(name);
      const last = files.at(-1);
      if (last === undefined) break;
      after = last.name;
    }
    for (const name of gone) await this.#speech.ask('files.remove', { name }, 'file', signal);
  }

  async setTasks(
    tasks: readonly ListedTask[],
    operators: readonly Operator[],
    signal: AbortSignal,
  ): Promise<void> {
    const listed = tasks.map(({ id, name }) => ({ id, name: cut(name, LISTED_NAME_BYTES) }));
    for (const [from, some] of this.#pages(listed, TASKS_PER_PAGE, LISTED_NAME_BYTES + 5))
      await this.#speech.ask('tasks.set', { from, total: listed.length, tasks: some }, 'bulk', signal);
    const people = operators.map(({ id, name, verifier }) => ({
      id,
      name: cut(name, LISTED_NAME_BYTES),
      verifier,
    }));
    for (const [from, some] of this.#pages(
      people,
      OPERATORS_PER_PAGE,
      LISTED_NAME_BYTES + VERIFIER_BYTES + 4,
    ))
      await this.#speech.ask(
        'operators.set',
        { from, total: people.length, operators: some },
        'bulk',
        signal,
      );
  }

  /** A list in pages that fit into frames, each with the place of its first item; one empty page of an empty list. */
  *#pages<T>(items: readonly T[], most: number, itemBytes: number): Generator<[number, readonly T[]]> {
    const fitting = Math.floor((this.#speech.mtu() - AROUND_BYTES) / itemBytes);
    const size = Math.max(1, Math.min(most, fitting));
    for (let from = 0; from === 0 || from < items.length; from += size)
      yield [from, items.slice(from, from + size)];
  }

  async #openFile({ name, kind, size, digest }: OutgoingFile, signal: AbortSignal): Promise<number> {
    const { body } = await this.#speech.ask('file.open', { name, kind, size, digest }, 'file', signal);
    return body.stored;
  }

  /** @returns how many bytes are stored then; `undefined` when the terminal must be asked */
  async #sendPart(file: OutgoingFile, from: number, signal: AbortSignal): Promise<number | undefined> {
    const bytes = await file.read(from, Math.min(PART_BYTES, file.size - from));
    const object = new Uint8Array(DIGEST_BYTES + OFFSET_BYTES + bytes.length);
    object.set(file.digest);
    new DataView(object.buffer).setUint32(DIGEST_BYTES, from, true);
    object.set(bytes, DIGEST_BYTES + OFFSET_BYTES);
    const way = this.#speech.way('file', signal);
    const chunk = chunkSize(way.peer.session, this.#speech.mtu());
    const transfer = this.#speech.nextTransfer();
    try {
      await this.#speech.watching(() => sendObject(way, { transfer, kind: 'file', chunk, object, after: 0 }));
    } catch (error) {
      if (isTransferLost(error) || isElsewhere(error)) return undefined;
      throw error;
    }
    return from + bytes.length;
  }
}

/** The terminal has more or less of the file than the gateway thought. */
function isElsewhere(error: unknown): boolean {
  return error instanceof RefusedError && (error.reason === 'malformed' || error.reason === 'no-such-file');
}

function wishOf({ number, mode, task, operator, how }: Body<'sync.wish'>): SyncWish | undefined {
  return mode === 'none' ? undefined : { number, mode, task, operator, ...how };
}

function counted(value: number): number {
  return Number.isFinite(value) ? Math.min(MOST_U32, Math.max(0, Math.round(value))) : 0;
}

/** As many whole characters as fit. @param most bytes of UTF-8 */
function cut(text: string, most: number): string {
  let length = 0;
  let kept = '';
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > most) break;
    kept += character;
  }
  return kept;
}
