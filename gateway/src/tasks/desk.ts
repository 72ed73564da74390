import { digestOf, PIN_SALT_BYTES, pinVerifier, WhorlError } from '@whorl/protocol';
import { taskSchema } from '../settings/task.ts';
import type { TaskDefinition } from '../settings/task.ts';
import type { FileRow, OperatorRow, SyncFilter, Task, TaskStore } from '../store/tasks.ts';
import { siteOf } from '../sync/site-names.ts';
import type { TaskGround } from './ground.ts';
import type { NewFile, SyncView, TaskChanges, TaskOperations } from './operations.ts';
import { previewTask } from './preview.ts';
import type { TaskPreview } from './preview.ts';
import type { Syncs } from './syncs.ts';

/** Of one file; and of all together, as they go into every backup. */
const MOST_FILE_BYTES = 16 << 20;
const MOST_BYTES = 256 << 20;

/** Where people and programs bring what they want of portable terminals: see {@link TaskOperations}. */
export class TaskDesk implements TaskOperations {
  readonly #ground: TaskGround;
  readonly #syncs: Syncs;
  readonly #store: TaskStore;

  constructor(ground: TaskGround, syncs: Syncs) {
    this.#ground = ground;
    this.#syncs = syncs;
    this.#store = ground.site.store.tasks;
  }

  tasks(): Promise<readonly Task[]> {
    return this.#store.tasks();
  }

  async task(id: number): Promise<Task> {
    const task = await this.#store.task(id);
    if (task === undefined) throw new WhorlError('TASK_UNKNOWN', `there is no task ${id}`);
    return task;
  }

  async addTask(definition: TaskDefinition): Promise<Task> {
    await this.#check(definition);
    const changed = this.#ground.site.now;
    const task = { ...definition, changed, id: await this.#store.saveTask({ ...definition, changed }) };
    await this.#told('task.added', task);
    return task;
  }

  async changeTask(id: number, changes: TaskChanges): Promise<Task> {
    const { id: _, changed: __, ...before } = await this.task(id);
    const members = Object.entries({ ...before, ...changes });
    const given = members.filter(([, value]) => value !== null && value !== undefined);
    const parsed = taskSchema.safeParse(Object.fromEntries(given));
    if (!parsed.success)
      throw new WhorlError('REQUEST_INVALID', parsed.error.issues[0]?.message ?? 'does not fit');
    await this.#check(parsed.data);
    const task = { ...parsed.data, id, changed: this.#ground.site.now };
    await this.#store.saveTask(task);
    await this.#told('task.changed', task);
    return task;
  }

  async removeTask(id: number): Promise<void> {
    const task = await this.task(id);
    await this.#store.removeTask(id);
    await this.#told('task.removed', task);
  }

  async preview(
    id: number,
    terminal: string,
    page: { readonly after?: number; readonly limit: number },
  ): Promise<TaskPreview> {
    return previewTask(this.#ground, await this.task(id), { ...page, terminal });
  }

  async operators(): Promise<readonly Pick<OperatorRow, 'id' | 'name'>[]> {
    return (await this.#store.operators()).map(({ id, name }) => ({ id, name }));
  }

  async saveOperator(
    id: number,
    { name, pin }: { readonly name?: string | undefined; readonly pin?: string | undefined },
  ): Promise<void> {
    const held = (await this.#store.operators()).find((one) => one.id === id);
    if (pin !== undefined) checkPin(pin);
    const verifier =
      pin === undefined ? held?.verifier : pinVerifier(pin, this.#ground.random.bytes(PIN_SALT_BYTES));
    const named = name ?? held?.name;
    if (verifier === undefined || named === undefined)
      throw new WhorlError('OPERATOR_UNKNOWN', `there is no operator ${id}; a new one has a name and a PIN`);
    await this.#store.saveOperator({ id, name: named, verifier });
    await this.#listChanged('operators');
  }

  async removeOperator(id: number): Promise<void> {
    const known = await this.#store.operators();
    if (!known.some((one) => one.id === id))
      throw new WhorlError('OPERATOR_UNKNOWN', `there is no operator ${id}`);
    const user = (await this.#store.tasks()).find(({ operators }) => operators.includes(id));
    if (user !== undefined)
      throw new WhorlError('OPERATOR_USED', `task ${user.id}, ${user.name}, names operator ${id}`);
    await this.#store.removeOperator(id);
    await this.#listChanged('operators');
  }

  files(): Promise<readonly FileRow[]> {
    return this.#store.files();
  }

  async saveFile({ name, kind, bytes }: NewFile): Promise<FileRow> {
    const { length: size } = bytes;
    const others = (await this.#store.files()).filter((file) => file.name !== name);
    const all = others.reduce((sum, file) => sum + file.size, size);
    if (size === 0 || size > MOST_FILE_BYTES || all > MOST_BYTES)
      throw new WhorlError(
        'TASK_FILE_SIZE',
        `${name} has ${size} bytes, all together ${all}; at most ${MOST_FILE_BYTES}, and ${MOST_BYTES}`,
      );
    const file = { name, kind, digest: digestOf(bytes), changed: this.#ground.site.now };
    await this.#store.saveFile(file, bytes);
    await this.#listChanged('files');
    return { ...file, size };
  }

  async removeFile(name: string): Promise<void> {
    if (!(await this.#store.files()).some((file) => file.name === name))
      throw new WhorlError('TASK_FILE_UNKNOWN', `there is no file ${name}`);
    const user = (await this.#store.tasks()).find(({ files }) => files.includes(name));
    if (user !== undefined)
      throw new WhorlError('TASK_FILE_USED', `task ${user.id}, ${user.name}, brings ${name}`);
    await this.#store.removeFile(name);
    await this.#listChanged('files');
  }

  syncs(filter: SyncFilter): Promise<readonly SyncView[]> {
    if (filter.terminal !== undefined) this.#ground.driver(filter.terminal);
    return this.#syncs.list(filter);
  }

  async sync(id: number): Promise<SyncView> {
    const row = await this.#store.sync(id);
    if (row === undefined) throw new WhorlError('SYNC_UNKNOWN', `there is no sync session ${id}`);
    return this.#syncs.view(row);
  }

  watch(listener: (sync: SyncView) => void): () => void {
    return this.#syncs.watch(listener);
  }

  async cancel(terminal: string, who: string): Promise<void> {
    this.#ground.driver(terminal);
    await this.#syncs.cancel(terminal, who);
  }

  async #check(task: TaskDefinition): Promise<void> {
    const sites = new Set((await this.#ground.site.store.sites.sites()).map(({ name }) => name));
    for (const terminal of task.terminals) {
      const site = siteOf(terminal);
      if (site === undefined) this.#ground.driver(terminal);
      else if (!sites.has(site))
        throw new WhorlError('SITE_UNKNOWN', `terminal ${terminal}: no site is called ${site} here`);
    }
    const files = new Set((await this.#store.files()).map(({ name }) => name));
    for (const name of task.files)
      if (!files.has(name)) throw new WhorlError('TASK_FILE_UNKNOWN', `there is no file ${name}`);
    const operators = new Set((await this.#store.operators()).map(({ id }) => id));
    for (const id of task.operators)
      if (!operators.has(id)) throw new WhorlError('OPERATOR_UNKNOWN', `there is no operator ${id}`);
    const { who } = task.slice;
    if (who.by === 'site' && who.site !== this.#ground.name && !sites.has(who.site))
      throw new WhorlError('SITE_UNKNOWN', `${who.site} is not this site, which is ${this.#ground.name}`);
  }

  async #told(type: 'task.added' | 'task.changed' | 'task.removed', { id, name }: Task): Promise<void> {
    const { site } = this.#ground;
    await site.tell({ type, time: site.now, origin: 'gateway', data: { task: id, name } });
  }

  #listChanged(list: 'operators' | 'files'): Promise<void> {
    const { site } = this.#ground;
    return site.tell({ type: 'task.lists.changed', time: site.now, origin: 'gateway', data: { list } });
  }
}

/** @throws WhorlError OPERATOR_PIN */
function checkPin(pin: string): void {
  if (!/^\d{4,12}$/.test(pin)) throw new WhorlError('OPERATOR_PIN', 'the PIN is not 4 to 12 digits');
  if (new Set(pin).size === 1) throw new WhorlError('OPERATOR_PIN', 'the PIN repeats one digit');
}
