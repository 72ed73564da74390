import type { Command } from 'commander';
import { counted, systemClock, WhorlError } from '@whorl/protocol';
import { importResultSchema } from '../../http/transfer.ts';
import type { UserEditView, UserView } from '../../http/views.ts';
import type { JobRow } from '../../store/jobs.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import type { Preview } from '../../sync/preview.ts';
import { previewPath, showPreview, withPreview } from '../preview.ts';
import type { PreviewOptions } from '../preview.ts';
import { finished } from './jobs.ts';
import { readFile, writeFile } from '../files.ts';
import { openExport, sealExport } from '../sealed-export.ts';
import { ago, table, when } from '../table.ts';
import { exportText, readRows } from '../user-files.ts';
import type { ExportedUser } from '../user-files.ts';
import { addDeleting, addErasing } from './user-deletion.ts';

interface Summary {
  readonly id: number;
  readonly name: string;
  readonly version: number;
  readonly groups: readonly number[];
  readonly fields: readonly string[];
  readonly changed: string;
}

interface EditOptions {
  readonly name?: string;
  readonly groups?: string;
  readonly card?: string;
  readonly cardFormat?: string;
  readonly validFrom?: string;
  readonly validUntil?: string;
  readonly auth?: string;
  readonly clear?: string;
}

/** Commands for users. */
export function addUserCommands(program: Command): void {
  const users = program.command('users').description('see and change users');
  addShowing(users);
  addEditing(users);
  addMoving(users);
  addFiles(users);
}

function addShowing(users: Command): void {
  users
    .command('list')
    .description('list users')
    .option('--name <part>', 'only those with this in their name')
    .option('--group <n>', 'only those of this access group')
    .option('--limit <n>', 'at most so many', '100')
    .option('--after <id>', 'with higher ids')
    .action(async (options: Record<string, string>, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const list = await context.client.get<Summary[]>('/users', { ...options });
        const now = systemClock.wallTime();
        context.print(list, () =>
          table(
            ['ID', 'NAME', 'VERSION', 'GROUPS', 'CHANGED', 'FIELDS'],
            list.map((user) => [
              String(user.id),
              user.name,
              String(user.version),
              user.groups.join(','),
              ago(Date.parse(user.changed), now),
              user.fields.join(' '),
            ]),
          ),
        );
      });
    });
  users
    .command('show')
    .description('show a user; never templates')
    .argument('<id>')
    .action(async (id: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const user = await context.client.get<UserView>(`/users/${wholeNumber(id, 'id')}`);
        context.print(user, () => showUser(user));
      });
    });
}

export function showUser(user: UserView): string {
  const head = [
    `user ${user.id} ${user.name}, version ${user.version}`,
    `groups ${user.groups.join(', ') || 'none'}`,
    `valid ${validityOf(user)}`,
  ];
  return `${head.join('\n')}\n\n${table(
    ['FIELD', 'FROM', 'TERMINAL', 'SINCE'],
    user.fields.map((field) => [
      ...[field.field, field.origin, field.terminal ?? '–'],
      when(Date.parse(field.time)),
    ]),
  )}`;
}

function validityOf({ validFrom, validUntil }: UserView): string {
  if (validFrom === undefined && validUntil === undefined) return 'always';
  const from = validFrom === undefined ? '' : `from ${when(Date.parse(validFrom))} `;
  return `${from}${validUntil === undefined ? '' : `until ${when(Date.parse(validUntil))}`}`.trim();
}

function addEditing(users: Command): void {
  const withFields = (command: Command): Command =>
    command
      .option('--name <name>')
      .option('--groups <list>', 'access groups, such as 1,2')
      .option('--card <hex>', 'card number of slot 0')
      .option('--card-format <n>', 'its format', '1')
      .option('--valid-from <date>')
      .option('--valid-until <date>')
      .option('--auth <mode>', 'any, card, finger, face, card+pin, card+finger, finger+pin or face+pin');
  withFields(users.command('add').description('add a user').argument('<id>'))
    .addHelpText(
      'after',
      '\nExample:\n  whorl users add 1042 --name "Ada Lovelace" --groups 1,2 --card 04A1B2C3',
    )
    .action(async (id: string, options: EditOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const answer = await context.client.send<{ id: number; version: number }>('POST', '/users', {
          id: wholeNumber(id, 'id'),
          ...editOf(options),
        });
        context.print(answer, () => `User ${answer.id} is added.`);
      });
    });
  withFields(users.command('edit').description('change a user').argument('<id>'))
    .option('--clear <fields>', 'fields to empty, such as card.0,photo')
    .action(async (id: string, options: EditOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const answer = await context.client.send<{ version: number }>(
          'PATCH',
          `/users/${wholeNumber(id, 'id')}`,
          editOf(options),
        );
        context.print(answer, () => `User ${id} has version ${answer.version} now.`);
      });
    });
  addDeleting(users);
  addErasing(users);
}

function editOf(options: EditOptions): UserEditView {
  const { name, validFrom, validUntil, auth } = options;
  return {
    ...(name === undefined ? {} : { name }),
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(validUntil === undefined ? {} : { validUntil }),
    ...(auth === undefined ? {} : { auth: auth as NonNullable<UserEditView['auth']> }),
    ...(options.groups === undefined ? {} : { groups: numbers(options.groups) }),
    ...(options.card === undefined
      ? {}
      : {
          cards: {
            0: { format: wholeNumber(options.cardFormat ?? '1', '--card-format'), number: options.card },
          },
        }),
    ...(options.clear === undefined ? {} : { clear: options.clear.split(',') }),
  };
}

function numbers(text: string): number[] {
  return text === '' ? [] : text.split(',').map((one) => wholeNumber(one.trim(), '--groups'));
}

function addMoving(users: Command): void {
  users
    .command('push')
    .description('send a user to terminals now; brings back what was deleted there')
    .argument('<id>')
    .requiredOption('--to <terminals>', 'names, separated by commas')
    .action(async (id: string, options: { to: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const answer = await context.client.send<{ rows: number }>(
          'POST',
          `/users/${wholeNumber(id, 'id')}/push`,
          { terminals: options.to.split(',') },
        );
        context.print(
          answer,
          () =>
            `On its way to ${counted(answer.rows, 'terminal')}; \`whorl ledger --user ${id}\` shows how it goes.`,
        );
      });
    });
  users
    .command('pull')
    .description('fetch a user from a terminal now, and merge it')
    .argument('<id>')
    .requiredOption('--from <terminal>')
    .action(async (id: string, options: { from: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await context.client.send('POST', `/users/${wholeNumber(id, 'id')}/pull`, { terminal: options.from });
        context.print({ asked: true }, () => `Asked for; \`whorl events --user ${id}\` shows how it goes.`);
      });
    });
}

interface ImportOptions extends PreviewOptions {
  readonly skipBad?: boolean;
  readonly passphraseFile?: string;
}

function addFiles(users: Command): void {
  withPreview(
    users
      .command('import')
      .description('add and change users from a CSV or JSON file, or an encrypted export')
      .argument('<file>')
      .option('--skip-bad', 'leave bad rows out instead of refusing the file')
      .option('--passphrase-file <file>', 'for an encrypted export'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  whorl users import staff.csv\n  whorl users import staff.csv --dry-run',
    )
    .action(async (file: string, options: ImportOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const body = await importBody(file, options);
        const path = previewPath('/jobs/import', options);
        if (options.dryRun === true) {
          const preview = await context.client.send<Preview>('POST', path, body);
          context.print(preview, () => showPreview(preview));
          return;
        }
        const { result: raw } = await finished(
          context,
          await context.client.send<JobRow>('POST', path, body),
        );
        const result = importResultSchema.parse(raw);
        context.print(result, () =>
          [
            `${result.added} added, ${result.changed} changed, ${result.unchanged} as they were, ${result.failed.length} failed.`,
            ...result.failed.map((one) => `  user ${one.id}: ${one.code}: ${one.message}`),
          ].join('\n'),
        );
      });
    });
  users
    .command('export')
    .description(
      'write users to a CSV or JSON file; templates only with --with-templates, and then encrypted',
    )
    .argument('<file>')
    .option('--with-templates', 'whole users, encrypted under a passphrase')
    .option('--passphrase-file <file>', 'where the passphrase stands')
    .action(
      async (
        file: string,
        options: { withTemplates?: boolean; passphraseFile?: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        await guarded(context, async () => {
          const users: ExportedUser[] = [];
          const path = options.withTemplates === true ? '/record' : '';
          for (let after = 0; ;) {
            const page = await context.client.get<Summary[]>('/users', { after, limit: 1000 });
            for (const { id } of page)
              users.push(await context.client.get<ExportedUser>(`/users/${id}${path}`));
            const last = page.at(-1);
            if (last === undefined) break;
            after = last.id;
          }
          const text =
            options.withTemplates === true
              ? await sealExport(JSON.stringify(users), passphraseOf(options.passphraseFile))
              : exportText(file, users);
          writeFile(file, text);
          context.print(
            { exported: users.length, file },
            () => `${counted(users.length, 'user')} written to ${file}.`,
          );
        });
      },
    );
}

async function importBody(file: string, options: ImportOptions): Promise<object> {
  const bytes = readFile(file);
  const opened = await openExport(bytes, () => passphraseOf(options.passphraseFile));
  if (opened !== undefined) return { records: JSON.parse(opened) as unknown };
  const { users, bad } = readRows(file, bytes);
  if (bad.length > 0 && options.skipBad !== true) throw new WhorlError('IMPORT_ROW', bad.join('\n'));
  for (const one of bad) console.error(`left out: ${one}`);
  return { users };
}

/** Never from the command line, where every user of the machine could read it. */
function passphraseOf(file: string | undefined): string {
  if (file === undefined)
    throw new WhorlError('REQUEST_INVALID', 'an encrypted export needs --passphrase-file');
  const text = readFile(file).toString('utf8').trim();
  if (text.length < 8)
    throw new WhorlError('REQUEST_INVALID', `the passphrase in ${file} has fewer than 8 characters`);
  return text;
}
