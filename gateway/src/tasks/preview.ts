import type { Capabilities } from '@whorl/protocol';
import { fitting, wireMs } from '@whorl/protocol';
import type { FileRow, Task } from '../store/tasks.ts';
import type { TaskGround } from './ground.ts';
import { sliced } from './slice.ts';
import { changeSize, heldAt, heldFields, tableOf } from './table.ts';
import type { SizedTable } from './table.ts';

export const TASK_EFFECTS = ['added', 'changed', 'removed'] as const;

/** What a synchronise would do with one user at the terminal. */
export interface TaskEffect {
  readonly user: number;
  readonly effect: (typeof TASK_EFFECTS)[number];
}

/** What a synchronise of a terminal would bring now, as far as its last session tells what it holds. */
export interface TaskPreview {
  readonly task: number;
  readonly terminal: string;
  /** Of the slice. */
  readonly users: number;
  /** Users that the terminal can hold; absent while it does not answer. */
  readonly capacity?: number;
  /** The slice has room there; true while that is not known. */
  readonly fits: boolean;
  readonly same: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Users some of whose fields the terminal cannot hold. */
  readonly trimmed: number;
  /** Of users to be sent, and of the task's files, without what the line adds. */
  readonly bytes: number;
  readonly fileBytes: number;
  /** On the terminal's line, with files; absent where bytes take no known time. */
  readonly seconds?: number;
  /** A page of who, by ascending user. */
  readonly who: readonly TaskEffect[];
  /** Where the next page goes on, when there is one. */
  readonly next?: number;
}

/** Share of a line's bytes that are users' and files' in bulk transfers. */
const EFFICIENCY = 0.94;
/** Greeting, questions and answers around them, seconds on any line. */
const AROUND_S = 0.5;

/** Holds everything: of a terminal that does not answer it is not known what it cannot. */
const ANYTHING: Capabilities = {
  ...{ users: 0xffff_ffff, logs: 0, cards: 8, fingers: 10, faces: 5, mtu: 1100, window: 1 },
  does: { patches: true, portable: true, clock: true },
  holds: { validity: true, pin: true, authMode: true, groups: true, photo: true },
  ...{ cardFormats: anyFormat(), fingerFormats: anyFormat(), faceFormats: anyFormat() },
};

function anyFormat(): number[] {
  return Array.from({ length: 256 }, (_, format) => format);
}

/** @throws WhorlError TERMINAL_UNKNOWN, STORE_* */
export async function previewTask(
  ground: TaskGround,
  task: Task,
  about: { readonly terminal: string; readonly after?: number; readonly limit: number },
): Promise<TaskPreview> {
  const { terminal } = about;
  const known = ground.driver(terminal).identity?.capabilities;
  const capabilities = known ?? ANYTHING;
  const table = await tableOf(ground, task.slice, capabilities);
  const moved = await movesOf(ground, task, terminal, { table, capabilities });
  const fileBytes = sizeOfFiles(task, await ground.site.store.tasks.files());
  const baud = ground.baud(terminal);
  const page = pageOf(moved.effects, about);
  return {
    ...{ task: task.id, terminal, users: table.users.size },
    ...(known === undefined ? {} : { capacity: known.users }),
    fits: table.users.size <= capabilities.users,
    ...countsOf(moved.effects, table),
    ...{ trimmed: moved.trimmed, bytes: moved.bytes, fileBytes },
    ...(baud === undefined
      ? {}
      : { seconds: AROUND_S + wireMs((moved.bytes + fileBytes) / EFFICIENCY, baud) / 1000 }),
    ...page,
  };
}

interface Moves {
  readonly effects: readonly TaskEffect[];
  readonly bytes: number;
  readonly trimmed: number;
}

async function movesOf(
  { site }: TaskGround,
  { slice }: Task,
  terminal: string,
  { table, capabilities }: { readonly table: SizedTable; readonly capabilities: Capabilities },
): Promise<Moves> {
  const held = await heldAt(site, terminal);
  const effects: TaskEffect[] = [];
  let [bytes, trimmed] = [0, 0];
  for (const [id] of table.users) {
    const user = await site.store.user(id);
    if (user === undefined) continue;
    const record = sliced(user.record, slice, capabilities);
    if (fitting(user.record, capabilities).fields.size < user.record.fields.size) trimmed += 1;
    const row = held.get(id);
    if (row?.delivered === user.version) continue;
    effects.push({ user: id, effect: row === undefined ? 'added' : 'changed' });
    bytes += changeSize(record, heldFields(user, row, slice, capabilities));
  }
  for (const id of held.keys()) if (!table.users.has(id)) effects.push({ user: id, effect: 'removed' });
  return { effects: effects.sort((a, b) => a.user - b.user), bytes, trimmed };
}

function countsOf(
  effects: readonly TaskEffect[],
  { users }: SizedTable,
): Record<'same' | 'added' | 'changed' | 'removed', number> {
  const count = (wanted: TaskEffect['effect']): number =>
    effects.filter(({ effect }) => effect === wanted).length;
  const [added, changed, removed] = [count('added'), count('changed'), count('removed')];
  return { same: users.size - added - changed, added, changed, removed };
}

function pageOf(
  effects: readonly TaskEffect[],
  { after = 0, limit }: { readonly after?: number; readonly limit: number },
): Pick<TaskPreview, 'who' | 'next'> {
  const rest = effects.filter(({ user }) => user > after);
  const who = rest.slice(0, limit);
  const last = who.at(-1);
  return { who, ...(rest.length > who.length && last !== undefined ? { next: last.user } : {}) };
}

function sizeOfFiles(task: Task, files: readonly FileRow[]): number {
  return files.filter(({ name }) => task.files.includes(name)).reduce((sum, { size }) => sum + size, 0);
}
