import { hash } from 'node:crypto';
import { WhorlError } from '@whorl/protocol';
import type { EventType } from '../events/catalogue.ts';
import type { SyncFilter, SyncRow, Task } from '../store/tasks.ts';
import type { Identity, TerminalDriver } from '../terminals/driver.ts';
import type { PortableDriver, SyncWish } from '../terminals/portable.ts';
import type { TaskGround } from './ground.ts';
import type { SyncView } from './operations.ts';
import { refusalOf } from './rights.ts';
import type { Refused } from './rights.ts';
import { Session } from './session.ts';

/** After these a terminal is asked whether it wants to sync: of records that are lost one may have said so. */
const ASKED_AFTER: ReadonlySet<EventType> = new Set([
  'terminal.online',
  'terminal.sync.wanted',
  'terminal.log.gap',
]);

/** A terminal that may want something, and is there. */
interface Caller {
  readonly driver: TerminalDriver;
  readonly portable: PortableDriver;
  readonly identity: Identity;
  readonly signal: AbortSignal;
}

/** The sync sessions of all portable terminals: at most one at each. */
export class Syncs {
  readonly #ground: TaskGround;
  /** Terminals that may want to sync. */
  readonly #asks = new Set<string>();
  /** Terminals whose lists of tasks and operators may be old. */
  readonly #lists = new Set<string>();
  readonly #running = new Map<string, Session>();
  readonly #watchers = new Set<(sync: SyncView) => void>();
  /** Names of tasks, as last seen. */
  readonly #names = new Map<number, string>();
  #unsubscribe: (() => void) | undefined;

  constructor(ground: TaskGround) {
    this.#ground = ground;
  }

  start(): void {
    const { site } = this.#ground;
    this.#unsubscribe = site.hub.subscribe(({ type, terminal }) => {
      if (type.startsWith('task.')) this.#listsChanged();
      if (terminal === undefined) return;
      if (type === 'terminal.online') this.#lists.add(terminal);
      if (!ASKED_AFTER.has(type)) return;
      this.#asks.add(terminal);
      site.wake(terminal);
    });
  }

  stop(): void {
    this.#unsubscribe?.();
  }

  /** Tasks or operators are others than before. */
  #listsChanged(): void {
    for (const terminal of this.#ground.site.portables) this.#lists.add(terminal);
    this.#ground.site.wake();
  }

  /**
   * Serves a terminal that wants to sync.
   * @returns whether there was anything to do
   * @throws WhorlError when it could not be brought to an end; it is begun again the next time
   */
  async serve(driver: TerminalDriver, signal: AbortSignal): Promise<boolean> {
    const { portable, identity, name } = driver;
    if (portable === undefined || identity === undefined) return false;
    const caller = { driver, portable, identity, signal };
    if (this.#lists.has(name)) await this.#bringLists(caller);
    if (!this.#asks.delete(name)) return false;
    try {
      const wish = await portable.wish(signal);
      if (wish === undefined) await this.#forgotten(name);
      else await this.#take(caller, wish);
      return wish !== undefined;
    } catch (error) {
      this.#asks.add(name);
      throw error;
    }
  }

  async list(filter: SyncFilter): Promise<readonly SyncView[]> {
    const rows = await this.#ground.site.store.tasks.syncs(filter);
    return Promise.all(rows.map((row) => this.view(row)));
  }

  async view(row: SyncRow): Promise<SyncView> {
    const task = await this.#ground.site.store.tasks.task(row.task);
    if (task !== undefined) this.#names.set(task.id, task.name);
    return this.#viewOf(row);
  }

  watch(listener: (sync: SyncView) => void): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  /** @throws WhorlError SYNC_NONE, STORE_* */
  async cancel(terminal: string, who: string): Promise<void> {
    const { site } = this.#ground;
    const running = this.#running.get(terminal);
    if (running !== undefined) {
      running.cancel(who);
      return;
    }
    const [row] = await site.store.tasks.syncs({ terminal, state: 'running', limit: 1 });
    if (row === undefined) throw new WhorlError('SYNC_NONE', `nothing runs at ${terminal}`);
    await this.#over(row, who, 'Cancelled at the gateway.');
  }

  /** Tasks that a terminal may run, and who may log in there for them. */
  async #bringLists({ driver, portable, identity, signal }: Caller): Promise<void> {
    const { name } = driver;
    const { store } = this.#ground.site;
    this.#lists.delete(name);
    try {
      const tasks = (await store.tasks.tasks()).filter(({ terminals }) => terminals.includes(name));
      const listed = tasks.map((task) => ({ id: task.id, name: task.name }));
      const operators = (await store.tasks.operators()).filter(({ id }) =>
        tasks.some((task) => task.operators.length === 0 || task.operators.includes(id)),
      );
      const note = `tasks.lists ${name}`;
      const about = operators.map((one) => [one.id, one.name, Buffer.from(one.verifier).toString('base64')]);
      const memory = [identity.serial, identity.log.epoch];
      const fingerprint = hash('sha256', JSON.stringify([memory, listed, about]), 'base64url');
      if ((await store.note(note)) === fingerprint) return;
      await portable.setTasks(listed, operators, signal);
      await store.saveNote(note, fingerprint);
    } catch (error) {
      this.#lists.add(name);
      throw error;
    }
  }

  async #take(caller: Caller, wish: SyncWish): Promise<void> {
    const { store } = this.#ground.site;
    const terminal = caller.driver.name;
    const [newest] = await store.tasks.syncs({ terminal, limit: 1 });
    const known = newest !== undefined && isOf(newest, caller.identity, wish) ? newest : undefined;
    if (known !== undefined && known.state !== 'running') {
      await this.#tellEnd(caller, known);
      return;
    }
    const task = await store.tasks.task(wish.task);
    const operators = (await store.tasks.operators()).map(({ id }) => id);
    const refused = refusalOf(task, { terminal, wish, operators, now: this.#ground.site.now });
    if (refused !== undefined || task === undefined) await this.#refuse(caller, wish, refused, known);
    else await this.#run(caller, { wish, task, row: known ?? (await this.#begin(caller, wish)) });
  }

  async #run(
    { driver, portable, identity, signal }: Caller,
    { wish, task, row }: { readonly wish: SyncWish; readonly task: Task; readonly row: SyncRow },
  ): Promise<void> {
    this.#names.set(task.id, task.name);
    const ground = this.#ground;
    const moved = (): void => this.#moved(session.row);
    const session = new Session({ ground, driver, portable, identity, task, wish, row, moved });
    this.#running.set(driver.name, session);
    try {
      await session.run(signal);
    } finally {
      this.#running.delete(driver.name);
      this.#moved(session.row);
    }
  }

  async #begin({ driver, identity }: Caller, wish: SyncWish): Promise<SyncRow> {
    const { site, note } = this.#ground;
    const row = rowOf(driver.name, identity, wish, { state: 'running', began: site.now });
    const { task, mode, operator, automatic, forget } = wish;
    const { id, events } = await site.store.tasks.beginSync(row, {
      ...{ type: 'sync.began', time: site.now, terminal: driver.name },
      data: { sync: 0, task, mode, operator, automatic, forgets: forget },
    });
    site.publish(events);
    if (forget) {
      const deed = { deed: 'tasks.sync.forget', target: `terminal ${driver.name}` };
      await note({ who: `operator ${operator}`, place: driver.name, ...deed });
    }
    return { ...row, id };
  }

  async #refuse(
    caller: Caller,
    wish: SyncWish,
    refused: Refused | undefined,
    known: SyncRow | undefined,
  ): Promise<void> {
    const { site } = this.#ground;
    const { driver, identity } = caller;
    const { code, reason } = refused ?? { code: 'task-unknown', reason: `There is no task ${wish.task}.` };
    const { task, operator } = wish;
    const about = { type: 'sync.refused', time: site.now, terminal: driver.name } as const;
    const end = { state: 'refused', began: site.now, ended: site.now, reason } as const;
    const event = (sync: number) => ({ ...about, data: { sync, task, operator, code, reason } });
    let row: SyncRow;
    if (known === undefined) {
      const fresh = rowOf(driver.name, identity, wish, end);
      const { id, events } = await site.store.tasks.beginSync(fresh, event(0));
      site.publish(events);
      row = { ...fresh, id };
    } else {
      row = { ...known, ...end, began: known.began };
      site.publish(await site.store.tasks.saveSync(row, [event(row.id)]));
    }
    site.log.warn({ terminal: driver.name, code }, `${driver.name}: sync refused: ${reason}`);
    this.#moved(row);
    await this.#tellEnd(caller, row);
  }

  async #tellEnd(
    { portable, signal }: Caller,
    { state, number, users, reason = '' }: SyncRow,
  ): Promise<void> {
    const stage = state === 'cancelled' || state === 'running' ? 'failed' : state;
    const nothing = { done: 0, total: 0, bytes: 0, rate: 0, left: 0 };
    await portable.tell({ ...nothing, number, stage, done: users, total: users, reason }, signal);
  }

  /** The terminal wants nothing any more: somebody cancelled there while it was away. */
  async #forgotten(terminal: string): Promise<void> {
    const [row] = await this.#ground.site.store.tasks.syncs({ terminal, state: 'running', limit: 1 });
    if (row !== undefined) await this.#over(row, 'operator', 'Cancelled at the terminal.');
  }

  async #over(row: SyncRow, by: string, reason: string): Promise<void> {
    const { site } = this.#ground;
    const over = { ...row, state: 'cancelled', ended: site.now, reason } as const;
    const data = { sync: row.id, task: row.task, by };
    const event = { type: 'sync.cancelled', time: site.now, terminal: row.terminal, data } as const;
    site.publish(await site.store.tasks.saveSync(over, [event]));
    this.#moved(over);
  }

  #moved(row: SyncRow): void {
    const view = this.#viewOf(row);
    for (const watcher of this.#watchers) watcher(view);
  }

  #viewOf(row: SyncRow): SyncView {
    const session = this.#running.get(row.terminal);
    const live = session?.row.id === row.id ? session : undefined;
    return {
      ...(live?.row ?? row),
      name: this.#names.get(row.task) ?? '',
      ...(live?.row.state === 'running' ? { progress: live.measured } : {}),
    };
  }
}

function isOf(row: SyncRow, { serial, log }: Identity, { number }: SyncWish): boolean {
  return row.serial === serial && row.epoch === log.epoch && row.number === number;
}

function rowOf(
  terminal: string,
  { serial, log }: Identity,
  { number, mode, task, operator, automatic, forget, files }: SyncWish,
  state: Pick<SyncRow, 'state' | 'began' | 'ended' | 'reason'>,
): Omit<SyncRow, 'id'> {
  return {
    ...{ terminal, serial, epoch: log.epoch, number, mode, task, operator, automatic, forget, files },
    ...{ merged: 0, conflicts: 0, refused: 0, users: 0, downloaded: 0, removed: 0, bytes: 0 },
    ...state,
  };
}
