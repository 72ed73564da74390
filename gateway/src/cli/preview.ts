import type { Command } from 'commander';
import type { Preview } from '../sync/preview.ts';
import { table } from './table.ts';

/** Options of a command whose change may remove or overwrite users at terminals. */
export interface PreviewOptions {
  readonly dryRun?: boolean;
  readonly confirm?: string;
  readonly after?: string;
}

/** Adds --dry-run, --confirm and --after. */
export function withPreview(command: Command): Command {
  return command
    .option('--dry-run', 'only say who would be added, overwritten and removed, and where')
    .option('--confirm <code>', 'do it as the dry run showed it, which printed this code')
    .option('--after <id>', 'of a dry run: name users with higher ids');
}

/** They go into the query. */
export function previewPath(path: string, { dryRun, confirm, after }: PreviewOptions): string {
  const query = new URLSearchParams({
    ...(dryRun === true ? { dryRun: 'true' } : {}),
    ...(confirm === undefined ? {} : { confirm }),
    ...(after === undefined ? {} : { after }),
  }).toString();
  return query === '' ? path : `${path}?${query}`;
}

/** What a change would do, for people. */
export function showPreview(preview: Preview): string {
  if (preview.terminals.length === 0) return 'Nothing would change at any terminal.';
  const counts = table(
    ['TERMINAL', 'USERS', 'ADDED', 'OVERWRITTEN', 'REMOVED', 'FETCHED', 'LEFT'],
    preview.terminals.map((one) => [
      one.terminal,
      ...[one.users, one.added, one.overwritten, one.removed, one.fetched, one.left].map(String),
    ]),
  );
  const who = table(
    ['USER', 'TERMINAL', 'WOULD BE'],
    preview.users.map((one) => [String(one.user), one.terminal, one.effect]),
  );
  return [counts, '', who, ...moreOf(preview), '', howToConfirm(preview)].join('\n');
}

/** How the next page is asked for, when there is one. */
export function moreOf({ next }: Pick<Preview, 'next'>): string[] {
  return next === undefined ? [] : [`More with --after ${next}.`];
}

/** How it is done after a dry run. */
export function howToConfirm({ guarded, confirm }: Pick<Preview, 'guarded' | 'confirm'>): string {
  return guarded
    ? `So many are removed or overwritten that it has to be confirmed: --confirm ${confirm}`
    : `--confirm ${confirm} does it as shown here, or not at all.`;
}
