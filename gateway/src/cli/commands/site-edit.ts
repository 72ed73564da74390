import type { Command } from 'commander';
import { WhorlError } from '@whorl/protocol';
import type { SitePreview } from '../../sites/operations.ts';
import { needsOpenList } from '../beforehand.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import type { Context } from '../context.ts';
import { howToConfirm, moreOf, previewPath } from '../preview.ts';
import type { PreviewOptions } from '../preview.ts';
import { askPassword } from '../prompt.ts';
import { table } from '../table.ts';

// Commands that change who is at a site.

/** `1,4`, or `all`. @throws WhorlError REQUEST_INVALID */
export function groupsOf(list: string): number[] | null {
  return list === 'all' ? null : list.split(',').map((one) => wholeNumber(one.trim(), '--groups'));
}

interface EditOptions extends PreviewOptions {
  readonly groups?: string;
  readonly address?: string;
  readonly password?: true;
  readonly passwordFile?: string;
}

/** The command that changes a satellite of the list. */
export function addEdit(sites: Command): void {
  sites
    .command('set')
    .description('change a satellite of the list; its groups say which users are there')
    .argument('<name>')
    .option('--groups <list>', 'access groups that reach it, such as 1,4; all for all users')
    .option('--address <url>', 'where its own API is')
    .option('--password', 'type a new password')
    .option('--password-file <file>', 'where the new password stands')
    .option('--dry-run', 'only say who would be added there and removed from there')
    .option('--confirm <code>', 'do it as the dry run showed it, which printed this code')
    .option('--after <id>', 'of a dry run: name users with higher ids')
    .addHelpText(
      'after',
      `
Examples:
  whorl sites set north --groups 1,4 --dry-run
  whorl sites set north --groups 1,4
  whorl sites set north --groups 1,4 --confirm 5f0c9a2b11de
  whorl sites set north --password`,
    )
    .action(async (name: string, options: EditOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, () => edit(context, name, options));
    });
}

async function edit(context: Context, name: string, options: EditOptions): Promise<void> {
  const { client } = context;
  const { groups, address, passwordFile } = options;
  const asks = options.password === true || passwordFile !== undefined;
  if (groups === undefined && address === undefined && !asks)
    throw new WhorlError('USAGE', 'nothing to change: --groups, --address or --password');
  const path = previewPath(`/sites/${encodeURIComponent(name)}`, options);
  const reach = groups === undefined ? {} : { groups: groupsOf(groups) };
  if (options.dryRun === true) {
    const preview = await client.send<SitePreview>('PATCH', path, reach);
    context.print(preview, () => showSitePreview(preview, howToConfirm(preview)));
    return;
  }
  if (asks) await needsOpenList(client);
  await client.send('PATCH', path, {
    ...reach,
    ...(address === undefined ? {} : { url: address }),
    ...(asks ? { password: await askPassword(passwordFile, 'New password: ', { twice: true }) } : {}),
  });
  context.print({ changed: name }, () => `${name} is changed.`);
}

/** The command that takes a satellite off the list. */
export function addRemove(sites: Command): void {
  sites
    .command('remove')
    .description('remove a satellite from the list; it is let in no more')
    .argument('<name>')
    .option('--dry-run', 'only say whom it keeps, as they are')
    .option('--after <id>', 'of a dry run: name users with higher ids')
    .addHelpText('after', '\nExamples:\n  whorl sites remove north --dry-run\n  whorl sites remove north')
    .action(async (name: string, options: Omit<PreviewOptions, 'confirm'>, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const path = previewPath(`/sites/${encodeURIComponent(name)}`, options);
        if (options.dryRun === true) {
          const preview = await context.client.send<SitePreview>('DELETE', path);
          const last = 'Left: the site keeps them as they are, and hears of no change any more.';
          context.print(preview, () => showSitePreview(preview, last));
          return;
        }
        await context.client.send('DELETE', path);
        context.print({ remove: name }, () => `${name} is removed.`);
      });
    });
}

/** What a change would do at a site, for people. @param last what is to be known of it besides */
function showSitePreview(preview: SitePreview, last: string): string {
  if (preview.sites.length === 0) return 'Nothing would change of who is there.';
  const counts = table(
    ['SITE', 'USERS', 'ADDED', 'OVERWRITTEN', 'REMOVED', 'LEFT'],
    preview.sites.map((one) => [
      one.site,
      ...[one.users, one.added, one.overwritten, one.removed, one.left].map(String),
    ]),
  );
  const who = table(
    ['USER', 'SITE', 'WOULD BE'],
    preview.users.map((one) => [String(one.user), one.site, one.effect]),
  );
  return [counts, '', who, ...moreOf(preview), '', last].join('\n');
}
