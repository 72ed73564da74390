import { basename } from 'node:path';
import type { Command } from 'commander';
import { counted } from '@whorl/protocol';
import { FILE_KINDS } from '../../terminals/portable.ts';
import { contextOf, guarded } from '../context.ts';
import { readFile } from '../files.ts';
import { table, when } from '../table.ts';

interface FileView {
  readonly name: string;
  readonly kind: string;
  readonly size: number;
  readonly digest: string;
  readonly changed: number;
}

/** Commands for the files that go along with tasks. */
export function addFileCommands(tasks: Command): void {
  const files = tasks
    .command('files')
    .description('files that go to portable terminals with tasks: wallpapers, floor plans, photos, firmware')
    .addHelpText(
      'after',
      '\nExamples:\n  whorl tasks files add floor-1.png --kind floor-plan\n  whorl tasks edit 1 --files floor-1.png\n  whorl tasks files list',
    );
  files
    .command('list')
    .description('list files')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const list = await context.client.get<FileView[]>('/files');
        const rows = list.map((file) => [
          ...[file.name, file.kind, file.size.toLocaleString('en')],
          ...[when(file.changed), file.digest],
        ]);
        context.print(list, () => table(['FILE', 'KIND', 'BYTES', 'CHANGED', 'DIGEST'], rows));
      });
    });
  files
    .command('add')
    .description('keep a file for tasks, in the place of one of the same name; at most 16 MiB')
    .argument('<path>')
    .requiredOption('--kind <kind>', FILE_KINDS.join(', '))
    .option('--name <name>', 'its name at the terminals; that of the file unless it says')
    .addHelpText('after', '\nExample:\n  whorl tasks files add ./floor-1.png --kind floor-plan')
    .action(async (path: string, options: { kind: string; name?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const name = options.name ?? basename(path);
        const body = { kind: options.kind, content: Buffer.from(readFile(path)).toString('base64') };
        const file = await context.client.send<FileView>('PUT', `/files/${encodeURIComponent(name)}`, body);
        context.print(file, () => `${file.name} is kept, ${counted(file.size, 'byte')}.`);
      });
    });
  files
    .command('remove')
    .description('remove a file that no task brings any more')
    .argument('<name>')
    .action(async (name: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await context.client.send('DELETE', `/files/${encodeURIComponent(name)}`);
        context.print({ removed: name }, () => `${name} is removed.`);
      });
    });
}
