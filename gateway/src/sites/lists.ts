import { hash } from 'node:crypto';
import type { SiteRow } from '../store/sites.ts';
import type { FileRow, OperatorRow, Task } from '../store/tasks.ts';
import { siteOf } from '../sync/site-names.ts';
import { encoded } from './login-words.ts';
import type { SitesGround } from './ground.ts';
import type { ListRow } from './list-requests.ts';
import type { AnswerOf, RequestOf } from './requests.ts';

// The master gives a satellite the sync tasks of its portable terminals, with their operators and files.

/** Of a page, however much a satellite would take. */
const MOST_BYTES = 256 * 1024;

/** All that a master keeps of it. */
export interface AllLists {
  readonly tasks: readonly Task[];
  readonly operators: readonly OperatorRow[];
  readonly files: readonly FileRow[];
}

/** What of it belongs to one site. */
export interface SiteLists {
  readonly digest: string;
  readonly rows: readonly ListRow[];
}

/**
 * What of a master's lists a site gets: tasks that one of its terminals may run, with those terminals only, the operators
 * who may run them, and the files that go along. Files come first: a task is complete when it comes.
 */
export function listsOf(site: string, { tasks, operators, files }: AllLists): readonly ListRow[] {
  const own = tasks.flatMap((task) => {
    const terminals = task.terminals
      .filter((terminal) => siteOf(terminal) === site)
      .map((terminal) => terminal.slice(site.length + 1));
    return terminals.length === 0 ? [] : [{ ...task, terminals }];
  });
  const anybody = own.some((task) => task.operators.length === 0);
  const named = new Set(own.flatMap((task) => task.operators));
  const along = new Set(own.flatMap((task) => task.files));
  return [
    ...files
      .filter(({ name }) => along.has(name))
      .map((file) => ({ is: 'file' as const, ...file, digest: encoded(file.digest) })),
    ...operators
      .filter(({ id }) => anybody || named.has(id))
      .map(({ id, name, verifier }) => ({ is: 'operator' as const, id, name, verifier: encoded(verifier) })),
    ...own.map(({ id, changed, ...task }) => ({ is: 'task' as const, id, changed, task })),
  ];
}

/** The lists of a master, for its satellites; read again when something of them has changed. */
export class Lists {
  readonly #ground: SitesGround;
  #all: Promise<AllLists> | undefined;
  readonly #sites = new Map<string, SiteLists>();

  constructor(ground: SitesGround) {
    this.#ground = ground;
    ground.site.hub.subscribe(({ type }) => {
      if (type.startsWith('task.')) this.#forget();
    });
  }

  /** @throws WhorlError STORE_*, VAULT_SEALED */
  async of({ name }: Pick<SiteRow, 'name'>): Promise<SiteLists> {
    const known = this.#sites.get(name);
    if (known !== undefined) return known;
    const all = (this.#all ??= this.#read());
    const rows = listsOf(name, await all);
    const made = { rows, digest: hash('sha256', JSON.stringify(rows), 'base64url') };
    // What has changed meanwhile is read by whoever asks next.
    if (this.#all === all) this.#sites.set(name, made);
    return made;
  }

  /** A page of it; nothing when the site has it. @throws as {@link of} */
  async serve(site: SiteRow, { known, from, bytes }: RequestOf<'lists'>): Promise<AnswerOf<'lists'>> {
    const { rows, digest } = await this.of(site);
    if (known === digest) return { digest, rows: [], left: 0 };
    let end = from;
    for (let size = 0; end < rows.length; end += 1) {
      size += JSON.stringify(rows[end]).length;
      if (end > from && size > Math.min(bytes, MOST_BYTES)) break;
    }
    return { digest, rows: rows.slice(from, end), left: Math.max(rows.length - end, 0) };
  }

  /** A piece of a file that belongs to the site. @throws as {@link of} */
  async piece(
    site: SiteRow,
    { name, digest, from, bytes }: RequestOf<'file'>,
  ): Promise<{ readonly answer: AnswerOf<'file'>; readonly blobs: readonly Uint8Array[] }> {
    const { rows } = await this.of(site);
    const belongs = rows.some((row) => row.is === 'file' && row.name === name && row.digest === digest);
    const which = { name, digest: Buffer.from(digest, 'base64') };
    const { tasks } = this.#ground.site.store;
    const piece = belongs ? await tasks.readFile(which, from, Math.min(bytes, MOST_BYTES)) : undefined;
    return piece === undefined ? { answer: {}, blobs: [] } : { answer: { blob: 0 }, blobs: [piece] };
  }

  async #read(): Promise<AllLists> {
    const { tasks } = this.#ground.site.store;
    try {
      const [all, operators, files] = await Promise.all([tasks.tasks(), tasks.operators(), tasks.files()]);
      return { tasks: all, operators, files };
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#all = undefined;
    this.#sites.clear();
  }
}
