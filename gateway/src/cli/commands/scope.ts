import type { Command } from 'commander';
import type { RuntimeSettings } from '../../settings/runtime.ts';
import type { GatewayStatus } from '../../sync/operations.ts';
import type { Preview } from '../../sync/preview.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { previewPath, showPreview, withPreview } from '../preview.ts';
import type { PreviewOptions } from '../preview.ts';
import { table } from '../table.ts';

/** Commands for which users belong on which terminal. */
export function addScopeCommands(program: Command): void {
  const scope = program
    .command('scope')
    .description('see and change which access groups reach a terminal')
    .addHelpText(
      'after',
      `
Examples:
  whorl scope show
  whorl scope set terminal-3 --groups 1,2 --dry-run
  whorl scope set terminal-3 --groups 1,2
  whorl settings set autoSync access-groups --dry-run
  whorl scope apply --dry-run`,
    );
  addShow(scope);
  addSet(scope);
  addApply(scope);
}

function addShow(scope: Command): void {
  scope
    .command('show', { isDefault: true })
    .description('show which groups reach which terminal')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const { terminals, settings } = await context.client.get<GatewayStatus>('/status');
        const reach = terminals.map(({ name, groups }) => ({
          terminal: name,
          groups,
          from: settings.scope[name] === undefined ? 'configuration' : 'settings',
        }));
        context.print({ autoSync: settings.autoSync, terminals: reach }, () =>
          [
            `autoSync is ${settings.autoSync}${settings.autoSync === 'access-groups' ? '' : '; groups matter with access-groups only'}.`,
            '',
            table(
              ['TERMINAL', 'GROUPS', 'FROM'],
              reach.map((one) => [one.terminal, one.groups.join(', ') || 'none', one.from]),
            ),
          ].join('\n'),
        );
      });
    });
}

function addSet(scope: Command): void {
  withPreview(
    scope
      .command('set')
      .description('choose which access groups reach a terminal')
      .argument('<terminal>')
      .requiredOption('--groups <list>', 'such as 1,2; none for no group'),
  )
    .addHelpText('after', '\nExample:\n  whorl scope set terminal-3 --groups 1,2 --dry-run')
    .action(async (terminal: string, options: PreviewOptions & { groups: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const groups =
          options.groups === 'none'
            ? []
            : options.groups.split(',').map((one) => wholeNumber(one.trim(), '--groups'));
        const body = { scope: { [terminal]: groups } };
        const path = previewPath('/settings', options);
        if (options.dryRun === true) {
          const preview = await context.client.send<Preview>('PATCH', path, body);
          context.print(preview, () => showPreview(preview));
          return;
        }
        const all = await context.client.send<RuntimeSettings>('PATCH', path, body);
        context.print(all, () => `${terminal}: reached by ${groups.join(', ') || 'no group'}, from now on.`);
      });
    });
}

function addApply(scope: Command): void {
  withPreview(
    scope
      .command('apply')
      .description(
        'do what an edited configuration asks for, when that removes so many users that it was held back',
      ),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  whorl scope apply --dry-run\n  whorl scope apply --confirm 5f0c9a2b11de',
    )
    .action(async (options: PreviewOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const path = previewPath('/scope/apply', options);
        if (options.dryRun === true) {
          const preview = await context.client.send<Preview>('POST', path, {});
          context.print(preview, () => showPreview(preview));
          return;
        }
        await context.client.send('POST', path, {});
        context.print(
          { applied: true },
          () => 'It is being applied; `whorl events --type scope.applied` tells when it is done.',
        );
      });
    });
}
