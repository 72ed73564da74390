import type { NewEvent, StoredEvent } from '../events/catalogue.ts';
import type { Keys } from './keys.ts';
import type { Sqlite } from './sqlite.ts';
import { insertEvents } from './tables/events.ts';
import * as files from './tables/files.ts';
import { births, holdExactly, isPortable, portables, setPortable } from './tables/portables.ts';
import * as syncs from './tables/syncs.ts';
import * as tasks from './tables/tasks.ts';
import type {
  BeginEvent,
  Begun,
  FileRow,
  HeldUsers,
  MasterLists,
  OperatorRow,
  SentAnswer,
  SentChange,
  SentKey,
  SyncCount,
  SyncFilter,
  SyncRow,
  Task,
  TaskStore,
} from './tasks.ts';

/** Tasks, operators, files and sync sessions in SQLite: which steps make one transaction. */
export class SqliteTaskStore implements TaskStore {
  readonly #db: Sqlite;
  readonly #keys: Keys;

  constructor(db: Sqlite, keys: Keys) {
    this.#db = db;
    this.#keys = keys;
  }

  async tasks(): Promise<readonly Task[]> {
    return tasks.listTasks(this.#db);
  }

  async task(id: number): Promise<Task | undefined> {
    return tasks.readTask(this.#db, id);
  }

  saveTask(task: Omit<Task, 'id'> & { readonly id?: number }): Promise<number> {
    return this.#db.write(() => tasks.putTask(this.#db, task));
  }

  removeTask(id: number): Promise<void> {
    return this.#db.write(() => tasks.deleteTask(this.#db, id));
  }

  async operators(): Promise<readonly OperatorRow[]> {
    return tasks.listOperators(this.#db, this.#keys);
  }

  saveOperator(operator: OperatorRow): Promise<void> {
    return this.#db.write(() => tasks.putOperator(this.#db, this.#keys, operator));
  }

  removeOperator(id: number): Promise<void> {
    return this.#db.write(() => tasks.deleteOperator(this.#db, id));
  }

  async files(): Promise<readonly FileRow[]> {
    return files.listFiles(this.#db);
  }

  saveFile(file: Omit<FileRow, 'size'>, bytes: Uint8Array): Promise<void> {
    return this.#db.write(() => files.putFile(this.#db, this.#keys, file, bytes));
  }

  async readFile(
    file: Pick<FileRow, 'name' | 'digest'>,
    from: number,
    count: number,
  ): Promise<Uint8Array | undefined> {
    return files.readPiece(this.#db, this.#keys, file, { from, count });
  }

  removeFile(name: string): Promise<void> {
    return this.#db.write(() => files.deleteFile(this.#db, name));
  }

  takeLists(lists: MasterLists, events: readonly NewEvent[]): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      const kept = new Set(lists.tasks.map(({ id }) => id));
      for (const { id } of tasks.listTasks(this.#db)) if (!kept.has(id)) tasks.deleteTask(this.#db, id);
      for (const task of lists.tasks) tasks.putTask(this.#db, task);
      const known = new Set(lists.operators.map(({ id }) => id));
      for (const id of tasks.operatorIds(this.#db)) if (!known.has(id)) tasks.deleteOperator(this.#db, id);
      for (const operator of lists.operators) tasks.putOperator(this.#db, this.#keys, operator);
      const names = new Set(lists.files);
      for (const { name } of files.listFiles(this.#db))
        if (!names.has(name)) files.deleteFile(this.#db, name);
      return insertEvents(this.#db, events);
    });
  }

  beginSync(sync: Omit<SyncRow, 'id'>, event: BeginEvent): Promise<Begun> {
    return this.#db.write(() => {
      const id = syncs.insertSync(this.#db, sync);
      const told = { ...event, data: { ...event.data, sync: id } } as BeginEvent;
      return { id, events: insertEvents(this.#db, [told]) };
    });
  }

  saveSync(sync: SyncRow, events: readonly NewEvent[]): Promise<readonly StoredEvent[]> {
    return this.#db.write(() => {
      syncs.putSync(this.#db, sync);
      return insertEvents(this.#db, events);
    });
  }

  async sync(id: number): Promise<SyncRow | undefined> {
    return syncs.readSync(this.#db, id);
  }

  async syncs(filter: SyncFilter): Promise<readonly SyncRow[]> {
    return syncs.listSyncs(this.#db, filter);
  }

  async syncCounts(): Promise<readonly SyncCount[]> {
    return syncs.countSyncs(this.#db);
  }

  async sent(key: SentKey): Promise<SentAnswer | undefined> {
    return syncs.readSent(this.#db, key);
  }

  saveSent(change: SentChange): Promise<void> {
    return this.#db.write(() => syncs.putSent(this.#db, change));
  }

  keepSent(serial: string, epoch: number, seqs: readonly number[]): Promise<void> {
    return this.#db.write(() => syncs.keepSent(this.#db, serial, epoch, seqs));
  }

  async portables(): Promise<readonly string[]> {
    return portables(this.#db);
  }

  savePortable(terminal: string, portable: boolean): Promise<void> {
    return this.#db.write(() => {
      if (isPortable(this.#db, terminal) !== portable) setPortable(this.#db, terminal, portable);
    });
  }

  async births(some: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return births(this.#db, some);
  }

  saveHeld(terminal: string, held: HeldUsers, time: number): Promise<void> {
    return this.#db.write(() => holdExactly(this.#db, terminal, held, time));
  }
}
