import type { TaskDefinition } from '../settings/task.ts';
import type { FileRow, OperatorRow, SyncFilter, SyncRow, Task } from '../store/tasks.ts';
import type { FileKind, SyncProgress } from '../terminals/portable.ts';
import type { TaskPreview } from './preview.ts';

/** Changes of a task; `null` takes away what may be absent. */
export type TaskChanges = {
  readonly [Key in keyof TaskDefinition]?:
    TaskDefinition[Key] | (undefined extends TaskDefinition[Key] ? null : never) | undefined;
};

/** A sync session for people. */
export interface SyncView extends SyncRow {
  /** Name of the task, as far as it is known. */
  readonly name: string;
  /** How far it is, while it runs and the terminal answers. */
  readonly progress?: Omit<SyncProgress, 'number' | 'reason'>;
}

/** A file to be kept for tasks. */
export interface NewFile {
  readonly name: string;
  readonly kind: FileKind;
  readonly bytes: Uint8Array;
}

/**
 * What people and programs can ask about portable terminals: tasks, operators, files, sync sessions. All methods throw
 * WhorlError STORE_* besides.
 */
export interface TaskOperations {
  tasks(): Promise<readonly Task[]>;
  /** @throws WhorlError TASK_UNKNOWN */
  task(id: number): Promise<Task>;
  /** @throws WhorlError TERMINAL_UNKNOWN, TASK_FILE_UNKNOWN, OPERATOR_UNKNOWN, SITE_UNKNOWN */
  addTask(definition: TaskDefinition): Promise<Task>;
  /** @throws WhorlError TASK_UNKNOWN, REQUEST_INVALID, and as {@link addTask} */
  changeTask(id: number, changes: TaskChanges): Promise<Task>;
  /** What terminals got of it stays there until they sync another. @throws WhorlError TASK_UNKNOWN */
  removeTask(id: number): Promise<void>;
  /** What a synchronise of a terminal would bring, without doing it. @throws WhorlError TASK_UNKNOWN, TERMINAL_UNKNOWN */
  preview(
    id: number,
    terminal: string,
    page: { readonly after?: number; readonly limit: number },
  ): Promise<TaskPreview>;

  operators(): Promise<readonly Pick<OperatorRow, 'id' | 'name'>[]>;
  /** Adds an operator, or changes name or PIN. @throws WhorlError OPERATOR_PIN, OPERATOR_UNKNOWN for a new one without */
  saveOperator(
    id: number,
    operator: { readonly name?: string | undefined; readonly pin?: string | undefined },
  ): Promise<void>;
  /** @throws WhorlError OPERATOR_UNKNOWN, OPERATOR_USED */
  removeOperator(id: number): Promise<void>;

  files(): Promise<readonly FileRow[]>;
  /** Takes the place of a file of the same name. @throws WhorlError TASK_FILE_SIZE */
  saveFile(file: NewFile): Promise<FileRow>;
  /** @throws WhorlError TASK_FILE_UNKNOWN, TASK_FILE_USED */
  removeFile(name: string): Promise<void>;

  /** Sync sessions, newest first. */
  syncs(filter: SyncFilter): Promise<readonly SyncView[]>;
  /** @throws WhorlError SYNC_UNKNOWN */
  sync(id: number): Promise<SyncView>;
  /** Calls `listener` with a session each time that it has moved on. @returns what ends that */
  watch(listener: (sync: SyncView) => void): () => void;
  /** Cancels what runs at a terminal: it holds what it held before. @throws WhorlError TERMINAL_UNKNOWN, SYNC_NONE */
  cancel(terminal: string, who: string): Promise<void>;
}
