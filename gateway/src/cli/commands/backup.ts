import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { counted, systemClock } from '@whorl/protocol';
import type { BackupReport } from '../../store/backup.ts';
import { contextOf, dataDirectory, guarded } from '../context.ts';
import { question } from '../prompt.ts';

/** Commands that copy the database, and put a copy back. */
export function addBackupCommands(program: Command): void {
  program
    .command('backup')
    .description('copy everything into a file while the gateway works, and read it back')
    .argument('<file>', 'on the gateway’s machine; must not be there yet')
    .addHelpText(
      'after',
      `
What is in the file is encrypted. It takes three things to restore it: the file, whorl-….keys beside it (one for all
backups of a directory, written anew each time), and the gateway’s master key, which no backup holds: keep a copy of
master.key in another place than the backups.

Example:
  whorl backup /mnt/backup/site.whorl`,
    )
    .action(async (file: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const made = await context.client.send<BackupReport>('POST', '/backups', { file: resolve(file) });
        context.print(
          made,
          () =>
            `${counted(made.users, 'user')}, ${counted(made.bytes, 'byte')}, read back: ${made.file}\n` +
            'To restore it, its whorl-….keys file and the master key are needed, too.',
        );
      });
    });
  program
    .command('restore')
    .description('put a backup in the place of the database; the gateway must be stopped')
    .argument('<file>')
    .option('--yes', 'replace a database that is there; it is kept aside')
    .option(
      '--master-key <file>',
      'the master key that the backup was made under, where this machine has another one or none',
    )
    .addHelpText(
      'after',
      `
Every terminal is compared afterwards, before anything is sent to it: who was enrolled after the backup comes back from
the terminals. Sessions and tokens are not restored.

Examples:
  whorl restore /mnt/backup/site.whorl --config whorl.yaml
  whorl restore /mnt/usb/old.whorl --master-key /mnt/safe/master.key`,
    )
    .action(async (file: string, options: { yes?: boolean; masterKey?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const data = dataDirectory(command);
        const { restore } = await import('../../store/restore.ts');
        const replace = options.yes === true || (await agreed(data));
        const now = systemClock.wallTime();
        const key = options.masterKey === undefined ? {} : { masterKey: resolve(options.masterKey) };
        const report = await restore({ data, file: resolve(file), now, replace, ...key });
        context.print(report, () =>
          [
            `${counted(report.users, 'user is', 'users are')} restored; ${counted(report.terminals, 'terminal is', 'terminals are')} compared when the gateway starts.`,
            ...(report.erased === 0 ? [] : [`${report.erased} who were erased since are left out.`]),
            ...(report.aside === undefined ? [] : [`The database that was there is ${report.aside}.`]),
          ].join('\n'),
        );
      });
    });
}

async function agreed(data: string): Promise<boolean> {
  if (!process.stdin.isTTY || !existsSync(join(data, 'whorl.db'))) return false;
  return (await question(`Replace the database in ${data}? It is kept aside. (yes/no) `)) === 'yes';
}
