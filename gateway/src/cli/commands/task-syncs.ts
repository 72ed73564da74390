import type { Command } from 'commander';
import { counted } from '@whorl/protocol';
import type { SyncView } from '../../tasks/operations.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { table, when } from '../table.ts';

/** Commands for sync sessions. */
export function addSyncCommands(tasks: Command): void {
  addList(tasks);
  addWatch(tasks);
  tasks
    .command('cancel')
    .description('cancel the sync session of a terminal: it holds what it held before, unsent changes too')
    .argument('<terminal>')
    .addHelpText('after', '\nExample:\n  whorl tasks cancel handheld')
    .action(async (terminal: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await context.client.send('POST', `/terminals/${encodeURIComponent(terminal)}/sync/cancel`);
        context.print({ cancelled: terminal }, () => `The sync session of ${terminal} is cancelled.`);
      });
    });
}

function addList(tasks: Command): void {
  tasks
    .command('syncs')
    .description('list sync sessions, newest first')
    .option('--terminal <name>', 'of one terminal')
    .option('--limit <n>', 'so many', '20')
    .addHelpText('after', '\nExample:\n  whorl tasks syncs --terminal handheld')
    .action(async (options: { terminal?: string; limit: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const list = await context.client.get<SyncView[]>('/syncs', {
          terminal: options.terminal,
          limit: wholeNumber(options.limit, '--limit'),
        });
        const rows = list.map((sync) => [
          ...[String(sync.id), sync.terminal, sync.name || String(sync.task), sync.mode, sync.state],
          ...[`${sync.merged}/${sync.conflicts}/${sync.refused}`, String(sync.downloaded)],
          ...[String(sync.removed), sync.bytes.toLocaleString('en'), when(sync.began), sync.reason ?? ''],
        ]);
        const heads = ['SYNC', 'TERMINAL', 'TASK', 'MODE', 'STATE', 'MERGED/CONFLICT/REFUSED', 'SENT'];
        context.print(list, () => table([...heads, 'REMOVED', 'BYTES', 'BEGAN', 'WHY'], rows));
      });
    });
}

function addWatch(tasks: Command): void {
  tasks
    .command('watch')
    .description('show sync sessions while they run, until Ctrl-C')
    .option('--terminal <name>', 'of one terminal')
    .addHelpText('after', '\nExamples:\n  whorl tasks watch\n  whorl tasks watch --terminal handheld --json')
    .action(async ({ terminal }: { terminal?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const take = (line: string): void => {
          const sync = JSON.parse(line) as SyncView;
          context.print(sync, () => showSync(sync));
        };
        await context.client.follow('/syncs/progress', { terminal }, take, new AbortController().signal);
      });
    });
}

/** One line of a session, as far as it is. */
export function showSync(sync: SyncView): string {
  const head = `${sync.terminal}: ${sync.name || `task ${sync.task}`}, ${sync.mode}:`;
  if (sync.state !== 'running') {
    const sent = `${sync.merged} merged, ${counted(sync.conflicts, 'conflict')}, ${sync.refused} refused`;
    const there =
      sync.mode === 'send' ? '' : `; ${counted(sync.downloaded, 'user')} sent, ${sync.removed} removed`;
    return `${head} ${sync.state}${sync.reason === undefined ? '' : `: ${sync.reason}`} (${sent}${there})`;
  }
  const { progress } = sync;
  if (progress === undefined) return `${head} waits for the terminal`;
  const { stage, done, total, bytes, rate, left } = progress;
  const counts = total === 0 ? '' : ` ${done} of ${total}`;
  const moved = bytes === 0 ? '' : `, ${counted(bytes, 'byte')}, ${rate.toLocaleString('en')}/s`;
  return `${head} ${stage}${counts}${moved}${left === 0 ? '' : `, ${left} s left`}`;
}
