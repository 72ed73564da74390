import type { Command } from 'commander';
import type { JobRow } from '../../store/jobs.ts';
import { AnswerError } from '../client.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import type { Context } from '../context.ts';
import { ProgressLine } from '../progress-line.ts';
import { table, when } from '../table.ts';

/** Commands for long work. */
export function addJobCommands(program: Command): void {
  const jobs = program.command('jobs').description('long work: how far it is, and what came of it');
  addLooking(jobs);
  jobs
    .command('compare')
    .description('compare terminals with what they should hold, one after the other')
    .argument('[terminals...]', 'all when not given')
    .option('--take <side>', 'resolve what differs: gateway, terminal or both')
    .option('--background', 'do not wait for the end')
    .addHelpText('after', '\nExamples:\n  whorl jobs compare\n  whorl jobs compare front-door --take gateway')
    .action(
      async (
        terminals: string[],
        { take, background }: { take?: string; background?: boolean },
        command: Command,
      ) => {
        const context = contextOf(command);
        await guarded(context, async () => {
          const body = {
            ...(terminals.length === 0 ? {} : { terminals }),
            ...(take === undefined ? {} : { take }),
          };
          const job = await context.client.send<JobRow>('POST', '/jobs/compare', body);
          const over = background === true ? job : await finished(context, job);
          context.print(over, () => showJob(over));
        });
      },
    );
  jobs
    .command('cancel')
    .description('ask a job to end; what it has done stays done')
    .argument('<number>')
    .action(async (id: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await context.client.send('POST', `/jobs/${wholeNumber(id, 'number')}/cancel`);
        context.print({ cancelled: Number(id) }, () => `Job ${id} was asked to end.`);
      });
    });
}

function addLooking(jobs: Command): void {
  jobs
    .command('list')
    .description('list jobs, newest first')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const list = await context.client.get<JobRow[]>('/jobs');
        const rows = list.map((job) => [
          ...[String(job.id), job.kind, job.state, `${job.done}/${job.total}`],
          ...[when(job.began), job.who, whyOf(job)],
        ]);
        context.print(list, () => table(['JOB', 'KIND', 'STATE', 'DONE', 'BEGAN', 'BY', 'WHY'], rows));
      });
    });
  jobs
    .command('show')
    .description('show a job; with --follow, until it has ended')
    .argument('<number>')
    .option('--follow', 'wait for its end')
    .action(async (id: string, options: { follow?: boolean }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const job = await context.client.get<JobRow>(`/jobs/${wholeNumber(id, 'number')}`);
        const shown = options.follow === true ? await finished(context, job) : job;
        context.print(shown, () => showJob(shown));
      });
    });
}

/** Waits for a job's end, showing people how far it is. @throws AnswerError with what made it fail */
export async function finished(context: Context, job: JobRow): Promise<JobRow> {
  let last = job;
  const shown = new ProgressLine(process.stderr);
  const take = (line: string): void => {
    last = JSON.parse(line) as JobRow;
    if (!context.json) shown.at(`${last.kind}: ${last.done} of ${last.total}`);
  };
  await context.client.follow(`/jobs/${job.id}/progress`, {}, take, new AbortController().signal);
  shown.end();
  if (last.error === undefined) return last;
  throw new AnswerError({ ...last.error, remedy: `\`whorl jobs show ${job.id}\` shows it again.` });
}

function whyOf({ error }: JobRow): string {
  return error === undefined ? '' : `${error.code}: ${error.message}`;
}

function showJob(job: JobRow): string {
  const head = `job ${job.id}, ${job.kind}: ${job.state}, ${job.done} of ${job.total}`;
  const result = job.result === undefined ? [] : [JSON.stringify(job.result, undefined, 2)];
  return [head, ...(job.error === undefined ? [] : [whyOf(job)]), ...result].join('\n');
}
