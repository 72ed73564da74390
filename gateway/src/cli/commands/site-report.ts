import type { Command } from 'commander';
import { WhorlError } from '@whorl/protocol';
import { REPORTS } from '../../sites/reports.ts';
import { contextOf, guarded } from '../context.ts';

const DAY_MS = 86_400_000;

/** Reports over all sites. */
export function addSiteReportCommands(sites: Command): void {
  const report = sites
    .command('report')
    .description('reports over all sites, as CSV, or as JSON with --json')
    .addHelpText(
      'after',
      `
Examples:
  whorl sites report entries --from 2026-11-01 --to 2026-11-30 > november.csv
  whorl --json sites report holdings --site north`,
    );
  for (const [kind, { doc }] of Object.entries(REPORTS)) {
    const command = report
      .command(kind)
      .description(doc)
      .option('--site <name>', 'of one gateway only')
      .option('--csv', 'as CSV, which it is unless --json says otherwise');
    if (kind !== 'holdings')
      command
        .option('--from <date>', 'such as 2026-11-01, or 2026-11-01T08:00')
        .option('--to <date>', 'up to it; of a date alone the whole day');
    command
      .addHelpText('after', `\nExample:\n  whorl sites report ${kind} > ${kind}.csv`)
      .action(async (options: { site?: string; from?: string; to?: string }, self: Command) => {
        const context = contextOf(self);
        await guarded(context, async () => {
          const query = {
            format: context.json ? 'json' : 'csv',
            site: options.site,
            from: options.from === undefined ? undefined : timeOf(options.from, '--from').time,
            until: options.to === undefined ? undefined : endOf(options.to),
          };
          if (query.from !== undefined && query.until !== undefined && query.until <= query.from)
            throw new WhorlError('REQUEST_INVALID', '--to: is before --from; put the earlier date there');
          await context.client.pipe(`/sites/report/${kind}`, query, process.stdout);
        });
      });
  }
}

function endOf(text: string): number {
  const { time, day } = timeOf(text, '--to');
  return day ? time + DAY_MS : time;
}

/** By the clock of who asks. @throws WhorlError REQUEST_INVALID */
function timeOf(text: string, what: string): { readonly time: number; readonly day: boolean } {
  const day = /^\d{4}-\d\d-\d\d$/.test(text);
  const time = new Date(day ? `${text}T00:00` : text).getTime();
  if (Number.isNaN(time))
    throw new WhorlError('REQUEST_INVALID', `${what}: ${JSON.stringify(text)} is no date such as 2026-11-01`);
  return { time, day };
}
