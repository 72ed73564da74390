import type { Command } from 'commander';
import { counted } from '@whorl/protocol';
import type { SitesStatus } from '../../sites/operations.ts';
import { needsCode, needsRole } from '../beforehand.ts';
import { contextOf, dataDirectory, guarded, wholeNumber } from '../context.ts';
import { askPassword } from '../prompt.ts';
import { configOf } from './database.ts';

const CODE_FILE = 'where the code stands, instead of typing it; - for standard input';

/** Commands for the lock of the sync settings. */
export function addSiteLockCommands(sites: Command): void {
  const lock = sites
    .command('lock')
    .description('close the sync settings for everybody; set their code, or take away a lost one')
    .addHelpText('after', '\nExamples:\n  whorl sites lock\n  whorl sites lock set-code');
  lock.action(async (_options, command: Command) => {
    const context = contextOf(command);
    await guarded(context, async () => {
      await context.client.send('POST', '/sites/lock/close');
      context.print({ locked: true }, () => 'The sync settings are locked.');
    });
  });
  addSetCode(lock);
  addForgetCode(lock);
  addUnlock(sites);
}

function addSetCode(lock: Command): void {
  lock
    .command('set-code')
    .description('set the code of the sync settings, or another one in its place')
    .option('--code-file <file>', CODE_FILE)
    .option('--current-file <file>', 'where the present code stands, instead of typing it')
    .addHelpText(
      'after',
      `
As long as there is no code nobody can change settings of the sync. The first one is set by an admin.

Example:
  whorl sites lock set-code`,
    )
    .action(async (options: { codeFile?: string; currentFile?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await needsRole(context.client, 'admin');
        const { lock: state } = await context.client.get<SitesStatus>('/sites');
        const current =
          state?.set === true
            ? await askPassword(options.currentFile, 'Present code: ', { option: '--current-file' })
            : undefined;
        const code = await askPassword(options.codeFile, 'New code: ', {
          twice: true,
          option: '--code-file',
        });
        const body = { code, ...(current === undefined ? {} : { current }) };
        await context.client.send('POST', '/sites/lock/code', body);
        context.print(
          { set: true },
          () => 'The code is set; the sync settings are locked. `whorl sites unlock` opens them for a while.',
        );
      });
    });
}

function addUnlock(sites: Command): void {
  sites
    .command('unlock')
    .description('open the sync settings for yourself, for a while')
    .option('--minutes <number>', 'after which they are closed again by themselves', '15')
    .option('--code-file <file>', CODE_FILE)
    .addHelpText('after', '\nExamples:\n  whorl sites unlock --minutes 30\n  whorl sites lock')
    .action(async (options: { minutes: string; codeFile?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const minutes = wholeNumber(options.minutes, '--minutes');
        await needsCode(context.client);
        const code = await askPassword(options.codeFile, 'Code: ', { option: '--code-file' });
        const body = { code, minutes };
        const opened = await context.client.send<{ until: number }>('POST', '/sites/lock/open', body);
        context.print(opened, () => `Open for you for ${counted(minutes, 'minute')}.`);
      });
    });
}

function addForgetCode(lock: Command): void {
  lock
    .command('forget-code')
    .description('on the gateway’s own machine, while it is stopped: take a lost code away')
    .addHelpText(
      'after',
      `
There is no way over the API: it needs the data directory. Afterwards there is no code, so the settings stay locked
until an admin sets another one. It is written into the audit trail.

Example:
  whorl sites lock forget-code --config whorl.yaml`,
    )
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const { forgetSyncCode } = await import('../../sites-code.ts');
        const had = await forgetSyncCode(dataDirectory(command), configOf(command)?.database);
        context.print({ had }, () =>
          had
            ? 'The code is gone. Start the gateway, then an admin sets another one: `whorl sites lock set-code`.'
            : 'There was no code.',
        );
      });
    });
}
