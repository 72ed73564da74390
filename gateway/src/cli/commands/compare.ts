import type { Command } from 'commander';
import { counted, WhorlError } from '@whorl/protocol';
import type { CompareReport } from '../../sync/resolve.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { showPreview, withPreview } from '../preview.ts';
import type { PreviewOptions } from '../preview.ts';
import { table, when } from '../table.ts';

interface Options extends PreviewOptions {
  readonly repair?: boolean;
  readonly take?: string;
  readonly user?: readonly string[];
  readonly fields?: boolean;
}

const MOST_SHOWN = 20;
/** Each is fetched. */
const MOST_FIELDS = 20;

/** The command that compares a terminal with what it should hold. */
export function addCompare(program: Command): void {
  withPreview(
    program
      .command('compare')
      .description(
        'compare what a terminal holds with what it should, by content, and resolve differences; only differences cross the line',
      )
      .argument('<terminal>')
      .option('--fields', `say in which fields users differ, of the first ${MOST_FIELDS}`)
      .option('--user <ids...>', 'only these users')
      .option(
        '--take <side>',
        'gateway: send what differs or is missing, remove who is only there; terminal: take what it holds, fields that it lacks are not cleared, who is missing stays deleted there',
      )
      .option('--repair', 'send what differs or is missing, and fetch who is only there'),
  )
    .addHelpText(
      'after',
      `
Examples:
  whorl compare terminal-3
  whorl compare terminal-3 --fields --user 1042
  whorl compare terminal-3 --take gateway --dry-run
  whorl compare terminal-3 --take terminal --user 1042 1043
  whorl compare terminal-3 --repair`,
    )
    .action(async (terminal: string, options: Options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const path = `/terminals/${encodeURIComponent(terminal)}/compare`;
        const report = await context.client.send<CompareReport>('POST', path, bodyOf(options));
        context.print(report, () => showReport(report));
      });
    });
}

function bodyOf({ repair, take, user, fields, dryRun, confirm, after }: Options): object {
  if (repair === true && take !== undefined)
    throw new WhorlError('REQUEST_INVALID', 'name one of --repair and --take');
  const side = repair === true ? 'both' : take;
  return {
    ...(side === undefined ? {} : { take: side }),
    ...(user === undefined ? {} : { users: user.map((one) => wholeNumber(one, '--user')) }),
    ...(fields === true ? { fieldsOf: MOST_FIELDS } : {}),
    ...(dryRun === true ? { dryRun } : {}),
    ...(confirm === undefined ? {} : { confirm }),
    ...(after === undefined ? {} : { after: wholeNumber(after, '--after') }),
  };
}

function showReport(report: CompareReport): string {
  const { terminal, same, different, missing, extra, heldApart, deleted, fields, preview } = report;
  const { pushed, pulled, removed } = report;
  const list = (what: string, ids: readonly number[]): string[] => {
    if (ids.length === 0) return [];
    const more = ids.length > MOST_SHOWN ? `, and ${ids.length - MOST_SHOWN} more` : '';
    return [`  ${what}: ${ids.slice(0, MOST_SHOWN).join(', ')}${more}`];
  };
  const equal = different.length + missing.length + extra.length + heldApart.length === 0;
  const done = preview === undefined && pushed + pulled + removed > 0;
  return [
    `${terminal}: ${counted(same, 'user')} the same${equal ? ', and no others.' : ''}`,
    ...list('different there', different),
    ...list('missing there', missing),
    ...list('only there', extra),
    ...deleted.slice(0, MOST_SHOWN).map(showDeleted),
    ...list('somebody else there, see `whorl conflicts`', heldApart),
    ...(done ? [`  on their way: ${pushed} to it, ${pulled} from it; ${removed} are removed`] : []),
    ...(fields === undefined || fields.length === 0 ? [] : ['', showFields(fields)]),
    ...(preview === undefined ? [] : ['', showPreview(preview)]),
  ].join('\n');
}

function showDeleted({ user, time, by, how }: CompareReport['deleted'][number]): string {
  return `    ${user} was ${how} here on ${when(time)} by ${by}; --repair removes it there`;
}

function showFields(fields: NonNullable<CompareReport['fields']>): string {
  return table(
    ['USER', 'FIELD', 'IS'],
    fields.map(({ user, field, is }) => [String(user), field, is.replace('-', ' ')]),
  );
}
