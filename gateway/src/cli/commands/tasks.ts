import type { Command } from 'commander';
import { counted, WhorlError } from '@whorl/protocol';
import type { Task } from '../../store/tasks.ts';
import type { TaskPreview } from '../../tasks/preview.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { table, when } from '../table.ts';
import { addFileCommands } from './task-files.ts';
import { addSyncCommands } from './task-syncs.ts';

/** What a task is written with, on the command line. */
interface TaskOptions {
  readonly name?: string;
  readonly groups?: string;
  readonly users?: string;
  readonly site?: string;
  readonly only?: string;
  readonly without?: string;
  readonly files?: string;
  readonly terminals?: string;
  readonly operators?: string;
  readonly from?: string;
  readonly until?: string;
}

/** Commands for what portable terminals carry. */
export function addTaskCommands(program: Command): void {
  const tasks = program
    .command('tasks')
    .description('sync tasks: which part of the users a portable terminal carries, and its sessions')
    .addHelpText(
      'after',
      `
Examples:
  whorl operators set 5 --name Mira
  whorl tasks add 'North gate' --groups 1,2 --without photo --terminals handheld
  whorl tasks preview 1 --terminal handheld
  whorl tasks watch
  whorl tasks cancel handheld`,
    );
  addLooking(tasks);
  addAdding(tasks);
  addEditing(tasks);
  addRemoving(tasks);
  addPreview(tasks);
  addSyncCommands(tasks);
  addFileCommands(tasks);
}

function addLooking(tasks: Command): void {
  tasks
    .command('list')
    .description('list sync tasks')
    .addHelpText('after', '\nExamples:\n  whorl tasks list\n  whorl tasks list --json')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const list = await context.client.get<Task[]>('/tasks');
        const rows = list.map((task) => [
          ...[String(task.id), task.name, whoOf(task), fieldsOf(task)],
          ...[task.terminals.join(', ') || 'none', task.operators.join(', ') || 'any', validityOf(task)],
        ]);
        context.print(list, () =>
          table(['TASK', 'NAME', 'WHO', 'FIELDS', 'TERMINALS', 'OPERATORS', 'VALID'], rows),
        );
      });
    });
  tasks
    .command('show')
    .description('show a sync task')
    .argument('<task>', 'its number')
    .addHelpText('after', '\nExample:\n  whorl tasks show 1')
    .action(async (id: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const task = await context.client.get<Task>(`/tasks/${wholeNumber(id, 'task')}`);
        context.print(task, () => showTask(task));
      });
    });
}

function withTaskOptions(command: Command): Command {
  return command
    .option('--groups <list>', 'whoever has one of these access groups, such as 1,2')
    .option('--users <list>', 'these users, such as 1042,1043')
    .option('--site <name>', 'whoever belongs at a terminal of this site, named as its gateway is')
    .option('--only <fields>', 'fields or kinds that go along, such as finger,groups; all for all')
    .option('--without <fields>', 'fields or kinds that do not, such as photo,face; none for none')
    .option('--files <names>', 'files that go along; none for none')
    .option('--terminals <names>', 'terminals that may run it; no other may')
    .option('--operators <numbers>', 'operators who may run it; any for any')
    .option('--from <date>', 'valid from, such as 2026-01-31T08:00; always')
    .option('--until <date>', 'valid until; always');
}

function addAdding(tasks: Command): void {
  withTaskOptions(
    tasks.command('add').description('define a sync task').argument('<name>', 'shown at the terminals'),
  )
    .addHelpText(
      'after',
      "\nExamples:\n  whorl tasks add 'North gate' --groups 1,2 --without photo --terminals handheld\n  whorl tasks add Visitors --users 7001,7002 --only card --terminals handheld",
    )
    .action(async (name: string, options: TaskOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const body = changesOf({ ...options, name }, undefined);
        const given = Object.entries(body).filter(([, value]) => value !== null);
        const task = await context.client.send<Task>('POST', '/tasks', Object.fromEntries(given));
        context.print(task, () => `Task ${task.id} is defined.\n${showTask(task)}`);
      });
    });
}

function addEditing(tasks: Command): void {
  withTaskOptions(
    tasks
      .command('edit')
      .description('change what is named of a sync task')
      .argument('<task>', 'its number')
      .option('--name <name>', 'another name'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  whorl tasks edit 1 --terminals handheld,tablet\n  whorl tasks edit 1 --until always',
    )
    .action(async (id: string, options: TaskOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const path = `/tasks/${wholeNumber(id, 'task')}`;
        const before = await context.client.get<Task>(path);
        const task = await context.client.send<Task>('PATCH', path, changesOf(options, before));
        context.print(task, () => showTask(task));
      });
    });
}

function addRemoving(tasks: Command): void {
  tasks
    .command('remove')
    .description('remove a sync task; what terminals got of it stays there')
    .argument('<task>', 'its number')
    .addHelpText('after', '\nExample:\n  whorl tasks remove 1')
    .action(async (id: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await context.client.send('DELETE', `/tasks/${wholeNumber(id, 'task')}`);
        context.print({ removed: Number(id) }, () => `Task ${id} is removed.`);
      });
    });
}

function addPreview(tasks: Command): void {
  tasks
    .command('preview')
    .description('what a synchronise would bring a terminal: users, bytes, and time on its line')
    .argument('<task>', 'its number')
    .requiredOption('--terminal <name>')
    .option('--limit <n>', 'name so many users', '20')
    .addHelpText('after', '\nExample:\n  whorl tasks preview 1 --terminal handheld')
    .action(async (id: string, options: { terminal: string; limit: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const { terminal } = options;
        const path = `/tasks/${wholeNumber(id, 'task')}/preview/${encodeURIComponent(terminal)}`;
        const preview = await context.client.get<TaskPreview>(path, {
          limit: wholeNumber(options.limit, '--limit'),
        });
        context.print(preview, () => showPreview(preview));
      });
    });
}

/** @param before the task that is changed; `undefined` for a new one */
function changesOf(options: TaskOptions, before: Task | undefined): Record<string, unknown> {
  const { name, files, terminals, operators, from, until } = options;
  return {
    ...(name === undefined ? {} : { name }),
    ...sliceOf(options, before),
    ...(files === undefined ? {} : { files: listOf(files, 'none') }),
    ...(terminals === undefined ? {} : { terminals: listOf(terminals, 'none') }),
    ...(operators === undefined ? {} : { operators: numbersOf(operators, 'any', '--operators') }),
    ...(from === undefined ? {} : { validFrom: momentOf(from, '--from') }),
    ...(until === undefined ? {} : { validUntil: momentOf(until, '--until') }),
  };
}

/** @throws WhorlError USAGE when it names no slice, or two */
function sliceOf(options: TaskOptions, before: Task | undefined): { readonly slice?: object } {
  const { groups, users, site, only, without } = options;
  const named = [groups, users, site].filter((one) => one !== undefined).length;
  if (named > 1) throw new WhorlError('USAGE', 'name one of --groups, --users, --site');
  if (named + (only === undefined ? 0 : 1) + (without === undefined ? 0 : 1) === 0 && before !== undefined)
    return {};
  const who =
    groups !== undefined
      ? { by: 'groups', groups: numbersOf(groups, 'none', '--groups') }
      : users !== undefined
        ? { by: 'users', users: numbersOf(users, 'none', '--users') }
        : site !== undefined
          ? { by: 'site', site }
          : before?.slice.who;
  if (who === undefined) throw new WhorlError('USAGE', 'name one of --groups, --users, --site');
  const kept = only === undefined ? before?.slice.only : only === 'all' ? undefined : listOf(only, '');
  return {
    slice: {
      who,
      ...(kept === undefined ? {} : { only: kept }),
      without: without === undefined ? (before?.slice.without ?? []) : listOf(without, 'none'),
    },
  };
}

function listOf(text: string, nothing: string): string[] {
  return text === nothing || text === '' ? [] : text.split(',').map((one) => one.trim());
}

function numbersOf(text: string, nothing: string, what: string): number[] {
  return listOf(text, nothing).map((one) => wholeNumber(one, what));
}

/** @throws WhorlError REQUEST_INVALID */
function momentOf(text: string, what: string): number | null {
  if (text === 'always') return null;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new WhorlError('REQUEST_INVALID', `${what}: ${text} is no date`);
  return ms;
}

function showTask(task: Task): string {
  const rows = [
    ['who', whoOf(task)],
    ['fields', fieldsOf(task)],
    ['files', task.files.join(', ') || 'none'],
    ['terminals', task.terminals.join(', ') || 'none: nobody can run it'],
    ['operators', task.operators.join(', ') || 'any'],
    ['valid', validityOf(task)],
  ];
  return [
    `${task.id}  ${task.name}`,
    ...rows.map(([head = '', text = '']) => `  ${head.padEnd(10)} ${text}`),
  ].join('\n');
}

function whoOf({ slice: { who } }: Task): string {
  switch (who.by) {
    case 'groups':
      return `groups ${who.groups.join(', ')}`;
    case 'site':
      return `site ${who.site}`;
    case 'users':
      return who.users.length > 6 ? counted(who.users.length, 'user') : `users ${who.users.join(', ')}`;
  }
}

function fieldsOf({ slice: { only, without } }: Task): string {
  const base = only === undefined ? 'all' : ['name', ...only].join(', ');
  return without.length === 0 ? base : `${base} without ${without.join(', ')}`;
}

function validityOf({ validFrom, validUntil }: Task): string {
  if (validFrom === undefined && validUntil === undefined) return 'always';
  const from = validFrom === undefined ? '' : `from ${when(validFrom)} `;
  return `${from}${validUntil === undefined ? '' : `until ${when(validUntil)}`}`.trim();
}

function showPreview(preview: TaskPreview): string {
  const { terminal, users, capacity, fits, trimmed, bytes, fileBytes, seconds } = preview;
  const room =
    capacity === undefined ? 'it does not answer, so its capacity is not known' : `it can hold ${capacity}`;
  const time = seconds === undefined ? '' : `, about ${seconds.toFixed(seconds < 10 ? 1 : 0)} s on its line`;
  return [
    `${terminal}: ${counted(users, 'user')}; ${room}${fits ? '' : ': THEY DO NOT FIT'}.`,
    `${preview.same} already there, ${preview.added} would be added, ${preview.changed} changed, ${preview.removed} removed.`,
    `${counted(bytes, 'byte')} of users, ${fileBytes.toLocaleString('en')} of files${time}.`,
    ...(trimmed === 0 ? [] : [`Of ${counted(trimmed, 'user')} it cannot hold everything.`]),
    ...(preview.who.length === 0
      ? []
      : [
          '',
          table(
            ['USER', 'WOULD BE'],
            preview.who.map(({ user, effect }) => [String(user), effect]),
          ),
        ]),
  ].join('\n');
}
