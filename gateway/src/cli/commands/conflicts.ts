import type { Command } from 'commander';
import { counted, WhorlError } from '@whorl/protocol';
import type { ConflictFieldView, ConflictSummaryView, ConflictView } from '../../http/conflict-views.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { table, when } from '../table.ts';

interface Filter {
  readonly user?: string;
  readonly terminal?: string;
  readonly kind?: string;
  readonly state?: string;
  readonly limit?: string;
}

interface AcceptOptions {
  readonly ours?: boolean;
  readonly theirs?: boolean;
  /** `true` for a free one. */
  readonly newId?: string | true;
  readonly all?: boolean;
  readonly user?: string;
  readonly terminal?: string;
  readonly kind?: string;
}

/** Commands for what merges did not take. */
export function addConflicts(program: Command): void {
  const conflicts = program
    .command('conflicts')
    .description(
      'what terminals hold otherwise than the gateway: look at it, decide it, take a decision back',
    )
    .addHelpText(
      'after',
      `
Examples:
  whorl conflicts list
  whorl conflicts list --terminal terminal-3 --kind finger
  whorl conflicts show 7
  whorl conflicts accept 7 --theirs
  whorl conflicts accept --all --kind name --ours
  whorl conflicts accept 8 --new-id 2042
  whorl conflicts undo 7`,
    );
  addList(conflicts);
  addShow(conflicts);
  addAccept(conflicts);
  addUndo(conflicts);
}

function withFilter(command: Command): Command {
  return command
    .option('--user <id>', 'only of this user')
    .option('--terminal <name>', 'only seen at this terminal')
    .option('--kind <kind>', 'two-people, name, card, finger, face, groups, …');
}

function addList(conflicts: Command): void {
  withFilter(conflicts.command('list', { isDefault: true }).description('list conflicts'))
    .option('--state <state>', 'open, ours, theirs, new-id or all', 'open')
    .option('--limit <n>', 'at most so many', '100')
    .addHelpText('after', '\nExample:\n  whorl conflicts list --terminal terminal-3 --state all')
    .action(async (options: Filter, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const list = await context.client.get<ConflictSummaryView[]>('/conflicts', { ...options });
        context.print(list, () => showList(list));
      });
    });
}

function addShow(conflicts: Command): void {
  conflicts
    .command('show')
    .description('show both sides: what, who wrote it, where and when; never templates')
    .argument('<id>')
    .addHelpText('after', '\nExample:\n  whorl conflicts show 7')
    .action(async (id: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const view = await context.client.get<ConflictView>(`/conflicts/${wholeNumber(id, 'id')}`);
        context.print(view, () => showConflict(view));
      });
    });
}

function addAccept(conflicts: Command): void {
  withFilter(
    conflicts
      .command('accept')
      .description('decide a conflict, or with --all several; what follows goes out to the terminals')
      .argument('[id]'),
  )
    .option('--ours', 'what the gateway holds stays')
    .option('--theirs', 'what the terminal holds takes its place; of two people, the terminal’s has the id')
    .option('--new-id [id]', 'of two people, the terminal’s becomes a user of their own; a free id if none')
    .option('--all', 'all open conflicts of the user, terminal or kind that is named')
    .addHelpText(
      'after',
      '\nExamples:\n  whorl conflicts accept 7 --theirs\n  whorl conflicts accept 8 --new-id\n  whorl conflicts accept --all --terminal terminal-3 --ours',
    )
    .action(async (id: string | undefined, options: AcceptOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        if (options.all === true) {
          const body = togetherOf(id, options);
          const answer = await context.client.send<{ decided: number }>('POST', '/conflicts/accept', body);
          context.print(answer, () => `${counted(answer.decided, 'conflict is', 'conflicts are')} decided.`);
          return;
        }
        if (id === undefined)
          throw new WhorlError('REQUEST_INVALID', 'which conflict? Name its id, or --all with a filter');
        const path = `/conflicts/${wholeNumber(id, 'id')}/accept`;
        const view = await context.client.send<ConflictSummaryView>('POST', path, decisionOf(options));
        context.print(view, () => showDecided(view));
      });
    });
}

function addUndo(conflicts: Command): void {
  conflicts
    .command('undo')
    .description('take a decision back: the conflict is open again, the user as before')
    .argument('<id>')
    .addHelpText('after', '\nExample:\n  whorl conflicts undo 7')
    .action(async (id: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const path = `/conflicts/${wholeNumber(id, 'id')}/undo`;
        const view = await context.client.send<ConflictSummaryView>('POST', path);
        context.print(view, () => `Conflict ${view.id} is open again.`);
      });
    });
}

/** @throws WhorlError REQUEST_INVALID unless exactly one is named */
function decisionOf({ ours, theirs, newId }: AcceptOptions): { take: string; user?: number } {
  const named = [ours === true, theirs === true, newId !== undefined].filter(Boolean).length;
  if (named !== 1) throw new WhorlError('REQUEST_INVALID', 'name one of --ours, --theirs and --new-id');
  if (newId === undefined) return { take: ours === true ? 'ours' : 'theirs' };
  return newId === true ? { take: 'new-id' } : { take: 'new-id', user: wholeNumber(newId, '--new-id') };
}

function togetherOf(id: string | undefined, options: AcceptOptions): object {
  const { user, terminal, kind } = options;
  if (id !== undefined)
    throw new WhorlError('REQUEST_INVALID', '--all goes with a user, terminal or kind, not with an id');
  const { take } = decisionOf(options);
  if (take === 'new-id')
    throw new WhorlError('REQUEST_INVALID', '--new-id decides one conflict at a time; name its id');
  return {
    take,
    ...(user === undefined ? {} : { user: wholeNumber(user, '--user') }),
    ...(terminal === undefined ? {} : { terminal }),
    ...(kind === undefined ? {} : { kind }),
  };
}

export function showList(list: readonly ConflictSummaryView[], columns?: number): string {
  if (list.length === 0) return 'No such conflicts.';
  return table(
    ['ID', 'USER', 'KIND', 'FIELD', 'TERMINAL', 'STATE', 'SINCE'],
    list.map((one) => [
      String(one.id),
      String(one.user),
      one.kind,
      one.field ?? '–',
      one.terminal,
      one.newUser === undefined ? one.state : `${one.state} ${one.newUser}`,
      sinceOf(one),
    ]),
    columns,
  );
}

function sinceOf({ opened, closed }: ConflictSummaryView): string {
  return when(Date.parse(closed ?? opened));
}

export function showConflict(view: ConflictView, columns?: number): string {
  const about =
    view.kind === 'two-people'
      ? `two people under one id: ${view.reasons.join(', ')} contradict`
      : `${view.field ?? view.kind} differs`;
  const rows = [
    ...view.ours.map((field) => showSide('gateway', field)),
    ...view.theirs.map((field) => showSide(view.terminal, field)),
    ...view.now.map((field) => showSide('gateway now', field)),
  ];
  return [
    `conflict ${view.id}, user ${view.user}, ${view.state} since ${sinceOf(view)}: ${about}`,
    '',
    table(['SIDE', 'FIELD', 'VALUE', 'BYTES', 'DIGEST', 'WRITTEN'], rows, columns),
  ].join('\n');
}

function showSide(name: string, field: ConflictFieldView): string[] {
  return [
    name,
    field.field,
    field.value ?? '(not shown)',
    String(field.bytes),
    field.digest,
    writtenOf(field),
  ];
}

function writtenOf({ origin, terminal, log, time }: ConflictFieldView): string {
  if (time === undefined) return '–';
  const where = origin === 'terminal' ? `at ${terminal ?? 'a terminal'}` : 'at the gateway';
  return `${when(Date.parse(time))} ${where}${log === undefined ? '' : `, log #${log}`}`;
}

function showDecided(view: ConflictSummaryView): string {
  switch (view.state) {
    case 'ours':
      return `Conflict ${view.id}: what the gateway holds stays.`;
    case 'theirs':
      return `Conflict ${view.id}: what ${view.terminal} holds is taken.`;
    default:
      return `Conflict ${view.id}: the person at ${view.terminal} is user ${view.newUser ?? '?'} now.`;
  }
}
