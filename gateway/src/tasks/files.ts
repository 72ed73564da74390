import { hash } from 'node:crypto';
import type { FileRow, Task } from '../store/tasks.ts';
import type { Site } from '../sync/site.ts';
import { FILE_KINDS } from '../terminals/portable.ts';
import type { PortableDriver } from '../terminals/portable.ts';
import { SyncFailure } from './failure.ts';

/** What the files of a session work with. */
export interface Filing {
  readonly site: Site;
  readonly portable: PortableDriver;
  readonly terminal: string;
  /** Tells one memory of a terminal from another: its serial, and the epoch of its log. */
  readonly memory: string;
  readonly task: Task;
  readonly total: (files: number, bytes: number) => void;
  /** How many files are there, and how many bytes of them were sent. */
  readonly sent: (files: number, bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Brings a terminal the files of a task, each from where an earlier try stopped, and has it remove others. Nothing is
 * asked when it has just these already.
 * @throws SyncFailure, WhorlError STORE_*, VAULT_*, and as the driver does
 */
export async function bringFiles(it: Filing): Promise<void> {
  const { store } = it.site;
  const known = await store.tasks.files();
  const files = known.filter(({ name }) => it.task.files.includes(name));
  const note = `tasks.files ${it.terminal}`;
  const wanted = fingerprint(it.memory, files);
  const none = files.length === 0 && (await store.note(note)) === undefined;
  if (none || (await store.note(note)) === wanted) return;
  it.total(
    files.length,
    files.reduce((sum, { size }) => sum + size, 0),
  );
  let before = 0;
  for (const [index, file] of files.entries()) {
    const start = before;
    await bring(it, file, (bytes) => it.sent(index, start + bytes));
    before += file.size;
    it.sent(index + 1, before);
  }
  await it.portable.keepFiles(
    files.map(({ name }) => name),
    it.signal,
  );
  await store.saveNote(note, wanted);
}

async function bring(it: Filing, file: FileRow, onBytes: (bytes: number) => void): Promise<void> {
  const kind = FILE_KINDS.find((one) => one === file.kind);
  if (kind === undefined) return;
  const read = async (from: number, count: number): Promise<Uint8Array> => {
    const piece = await it.site.store.tasks.readFile(file, from, count);
    if (piece === undefined) throw new SyncFailure(`The file ${file.name} was changed meanwhile.`);
    return piece;
  };
  const { name, size, digest } = file;
  await it.portable.file({ name, kind, size, digest, read }, onBytes, it.signal);
}

function fingerprint(memory: string, files: readonly FileRow[]): string {
  const about = files.map(({ name, kind, digest }) => [name, kind, Buffer.from(digest).toString('hex')]);
  return hash('sha256', JSON.stringify([memory, about]), 'base64url');
}
