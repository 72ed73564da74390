import { digestOf, sameBytes, WhorlError } from '@whorl/protocol';
import { isDeepStrictEqual } from 'node:util';
import type { NewEvent } from '../events/catalogue.ts';
import type { FileRow, MasterLists, OperatorRow, Task } from '../store/tasks.ts';
import type { ListRow } from './list-requests.ts';
import { decoded } from './login-words.ts';
import type { Talk } from './talk.ts';

// A satellite takes the sync tasks of its portable terminals, with their operators and files, as its master has them.

/** Names those that are here. */
const NOTE = 'sites.lists';
/** Files over a slow link would hold up what people do meanwhile: after so long an exchange ends, and another goes on. */
const FILES_MS = 20_000;

type FileListed = Extract<ListRow, { is: 'file' }>;

/** Pieces of a file that have come, until all of it has; kept from one exchange to the next. */
export class Pieces {
  #of = '';
  #pieces: Uint8Array[] = [];

  /** How many bytes there are of a file. */
  of(digest: string): number {
    if (this.#of !== digest) [this.#of, this.#pieces] = [digest, []];
    return this.#pieces.reduce((sum, { length }) => sum + length, 0);
  }

  add(piece: Uint8Array): void {
    this.#pieces.push(Uint8Array.from(piece));
  }

  /** All that has come; it is not kept any longer. */
  take(): Uint8Array {
    const whole = Buffer.concat(this.#pieces);
    [this.#of, this.#pieces] = ['', []];
    return whole;
  }
}

/**
 * Takes what is new of the lists: files first, then all the rest together, in the place of what was here.
 * @returns whether that is all; else another exchange is to go on soon
 * @throws WhorlError SITES_*, STORE_*
 */
export async function pullLists(talk: Talk, pieces: Pieces): Promise<boolean> {
  const { store } = talk.ground.site;
  const known = (await store.note(NOTE)) ?? '';
  const page = await allRows(talk, known);
  if (page.digest === known) return true;
  const files = page.rows.filter((row) => row.is === 'file');
  if (!(await pullFiles(talk, pieces, files))) return false;
  await adopt(talk, page.rows);
  await store.saveNote(NOTE, page.digest);
  return true;
}

async function allRows(talk: Talk, known: string): Promise<{ digest: string; rows: readonly ListRow[] }> {
  let rows: ListRow[] = [];
  for (let digest = ''; ;) {
    const { answer } = await talk.ask({
      ...{ ask: 'lists', known, from: rows.length, bytes: talk.pace.bytes },
    });
    if (digest !== '' && answer.digest !== digest) {
      [digest, rows] = ['', []];
      continue;
    }
    digest = answer.digest;
    rows.push(...answer.rows);
    talk.progress('lists', answer.left);
    if (answer.left === 0) return { digest, rows };
  }
}

/** @returns whether all of them are here */
async function pullFiles(talk: Talk, pieces: Pieces, wanted: readonly FileListed[]): Promise<boolean> {
  const { site, clock } = talk.ground;
  const had = new Map((await site.store.tasks.files()).map((file) => [file.name, file]));
  const missing = wanted.filter((file) => !isSame(had.get(file.name), file));
  const until = clock.now() + FILES_MS;
  for (const [index, file] of missing.entries()) {
    for (let from = pieces.of(file.digest); from < file.size; from = pieces.of(file.digest)) {
      if (clock.now() > until) return false;
      const { name, digest } = file;
      const { answer, blobs } = await talk.ask({ ask: 'file', name, digest, from, bytes: talk.pace.bytes });
      const piece = answer.blob === undefined ? undefined : blobs[answer.blob];
      if (piece === undefined || piece.length === 0) return false;
      pieces.add(piece);
      talk.progress('files', missing.length - index);
    }
    const bytes = pieces.take();
    const { name, kind, changed } = file;
    const digest = digestOf(bytes);
    if (!sameBytes(digest, decoded(file.digest)))
      throw new WhorlError('SITES_MESSAGE', `the file ${name} did not come as the master said`);
    await site.store.tasks.saveFile({ name, kind, changed, digest }, bytes);
  }
  return true;
}

function isSame(had: FileRow | undefined, { kind, digest }: FileListed): boolean {
  return had?.kind === kind && sameBytes(had.digest, decoded(digest));
}

async function adopt({ ground: { site } }: Talk, rows: readonly ListRow[]): Promise<void> {
  const store = site.store.tasks;
  const lists: MasterLists = {
    tasks: rows.flatMap((row) =>
      row.is === 'task' ? [{ ...row.task, id: row.id, changed: row.changed }] : [],
    ),
    operators: rows.flatMap((row): OperatorRow[] =>
      row.is === 'operator' ? [{ id: row.id, name: row.name, verifier: decoded(row.verifier) }] : [],
    ),
    files: rows.flatMap((row) => (row.is === 'file' ? [row.name] : [])),
  };
  const tasks = await store.tasks();
  const told = { time: site.now, origin: 'gateway' } as const;
  const changed = (list: 'operators' | 'files'): NewEvent => ({
    ...{ type: 'task.lists.changed', ...told, data: { list } },
  });
  site.publish(
    await store.takeLists(lists, [
      changed('operators'),
      changed('files'),
      ...taskEvents(told, tasks, lists.tasks),
    ]),
  );
}

function taskEvents(
  told: Pick<NewEvent, 'time' | 'origin'>,
  before: readonly Task[],
  after: readonly Task[],
): NewEvent[] {
  const [had, has] = [before, after].map((tasks) => new Map(tasks.map((task) => [task.id, task])));
  const event = (type: 'task.added' | 'task.changed' | 'task.removed', { id, name }: Task): NewEvent => ({
    ...{ ...told, type, data: { task: id, name } },
  });
  return [
    ...before.filter(({ id }) => has?.has(id) !== true).map((task) => event('task.removed', task)),
    ...after.flatMap((task) => {
      const known = had?.get(task.id);
      if (known === undefined) return [event('task.added', task)];
      return isDeepStrictEqual(known, task) ? [] : [event('task.changed', task)];
    }),
  ];
}
