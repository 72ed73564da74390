import type { Command } from 'commander';
import { counted } from '@whorl/protocol';
import type { Preview } from '../../sync/preview.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { previewPath, showPreview, withPreview } from '../preview.ts';
import type { PreviewOptions } from '../preview.ts';

/** The command that erases a user. */
export function addErasing(users: Command): void {
  users
    .command('erase')
    .description('erase a user on request: here, at the terminals and from what backups hold; for good')
    .argument('<id>')
    .requiredOption('--reason <text>', 'stays in the audit trail: nothing of the person in it')
    .addHelpText('after', '\nExample:\n  whorl users erase 1042 --reason "request 2026-17"')
    .action(async (id: string, options: { reason: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const path = `/users/${wholeNumber(id, 'id')}/erase`;
        const erased = await context.client.send<{ keys: string[]; unreached: string[] }>(
          'POST',
          path,
          options,
        );
        context.print(erased, () =>
          [
            `User ${id} is erased: ${erased.keys.length} data keys destroyed.`,
            `\`whorl ledger --user ${id}\` shows terminals that have not lost them yet.`,
            ...erased.unreached.map((place) => `Not reached, destroy it by hand: ${place}`),
          ].join('\n'),
        );
      });
    });
}

/** The command that deletes users. */
export function addDeleting(users: Command): void {
  withPreview(
    users.command('delete').description('delete users here and at the terminals').argument('<ids...>'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  whorl users delete 1042\n  whorl users delete 1042 1043 1044 --dry-run',
    )
    .action(async (ids: string[], options: PreviewOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const wanted = ids.map((id) => wholeNumber(id, 'id'));
        const [first] = wanted;
        const path = previewPath('/users/delete', options);
        if (options.dryRun === true) {
          const preview = await context.client.send<Preview>('POST', path, { users: wanted });
          context.print(preview, () => showPreview(preview));
        } else if (wanted.length === 1 && options.confirm === undefined) {
          await context.client.send('DELETE', `/users/${first}`);
          context.print({ deleted: first }, () => `User ${first} is deleted.`);
        } else {
          const answer = await context.client.send<{ deleted: number }>('POST', path, { users: wanted });
          context.print(answer, () => `${counted(answer.deleted, 'user is', 'users are')} deleted.`);
        }
      });
    });
}
