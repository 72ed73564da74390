import type { Command } from 'commander';
import { counted } from '@whorl/protocol';
import type { AuditReport, AuditView } from '../../access/audit.ts';
import { contextOf, EXIT, guarded } from '../context.ts';
import { table, when } from '../table.ts';

/** Commands for the audit trail. */
export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('who did what, and whether that was tampered with');
  audit
    .command('list')
    .description('show who did what')
    .option('--who <name>', 'only by this account; `machine` is whoever works on the gateway’s own machine')
    .option('--deed <deed>', 'only this, such as users.edit')
    .option('--last <n>', 'the newest so many', '50')
    .addHelpText('after', '\nExample:\n  whorl audit list --deed users.delete --last 1000')
    .action(async (options: { who?: string; deed?: string; last: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const list = await context.client.get<AuditView[]>('/audit', { ...options });
        context.print(list, () => showDeeds(list));
      });
    });
  audit
    .command('verify')
    .description('check that every entry is there, unchanged and in its place')
    .option(
      '--head <head>',
      'what an earlier verification showed: also finds that all was replaced by older data',
    )
    .addHelpText('after', '\nExit code 1 when something was tampered with.\n\nExample:\n  whorl audit verify')
    .action(async (options: { head?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const report = await context.client.get<AuditReport>('/audit/verify', { ...options });
        context.print(report, () => showReport(report));
        if (!report.sound) process.exitCode = EXIT.failed;
      });
    });
}

function showDeeds(list: readonly AuditView[]): string {
  return table(
    ['NO', 'WHEN', 'WHO', 'FROM', 'DEED', 'ON', 'OUTCOME', 'DETAIL'],
    list.map((one) => [
      String(one.seq),
      when(one.time),
      one.who,
      one.place,
      one.deed,
      one.target,
      one.outcome,
      one.detail === undefined ? '' : JSON.stringify(one.detail),
    ]),
  );
}

function showReport({ sound, entries, head, findings }: AuditReport): string {
  const found = findings.map(({ seq, text }) => `  entry ${seq}: ${text}`);
  const verdict = sound ? 'nothing was tampered with.' : 'the audit trail was tampered with:';
  return [`${counted(entries, 'entry', 'entries')}; ${verdict}`, ...found, `head ${head}`].join('\n');
}
