import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { codeOf, systemClock } from '@whorl/protocol';
import { loadConfig } from '../../settings/config.ts';
import type { Config } from '../../settings/config.ts';
import { contextOf, dataDirectory, guarded, usageError } from '../context.ts';
import { table } from '../table.ts';
import { CopyTelling, showCopied } from './database-copy.ts';

const DIGEST_SHOWN = 16;

/** Commands that work on the database itself. */
export function addDatabaseCommands(program: Command): void {
  const db = program
    .command('db')
    .description('check the database, bring it to this release, or move it to a server');
  looking(
    db,
    'check',
    'say what the database holds and whether it is sound; first it is brought to this release',
  );
  looking(db, 'migrate', 'bring the database to this release, while the gateway is stopped');
  db.command('copy')
    .description('copy the database of the data directory to the server that the configuration names')
    .option('--yes', 'replace what the server holds; it is kept aside in a schema of another name')
    .option('--abandon', 'forget a copy that was begun')
    .addHelpText(
      'after',
      `
While the gateway works on its file, all of it is copied as of one moment, then what changed since, again and again. When
it says so, stop the gateway: the last difference is copied, every table is compared by count and digest, and it tells how
long that took. Then start the gateway with the configuration that names the server. Interrupted (Ctrl-C) or killed, the
same command goes on where it was.

The file stays as it is. The master key stays in the data directory: it never goes to the server. A backup is brought to
a server by restoring it first: whorl restore, then whorl db copy --yes.

Examples:
  whorl db copy --config whorl-on-postgres.yaml
  whorl db copy --config whorl-on-postgres.yaml --yes
  whorl db copy --config whorl-on-postgres.yaml --abandon`,
    )
    .action(async (options: { yes?: boolean; abandon?: boolean }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const config = configOf(command);
        if (config?.database === undefined)
          throw usageError(
            'name a configuration with `database:` by --config: that is where it is copied to',
          );
        const { abandonMove, moveToServer } = await import('../../store/postgres/moving.ts');
        const { data, database } = config;
        if (options.abandon === true) {
          abandonMove({ data, database });
          context.print({ abandoned: true }, () => 'The copy that was begun is forgotten.');
          return;
        }
        const telling = new CopyTelling({ out: process.stderr, json: context.json, clock: systemClock });
        const stopping = new AbortController();
        process.once('SIGINT', () => stopping.abort());
        const report = await moveToServer({
          ...{ data, database, replace: options.yes === true, clock: systemClock },
          ...{ random: randomBytes, signal: stopping.signal },
          snapshot: (file) => snapshotOf(context, file),
          told: (step) => telling.tell(step),
        }).finally(() => telling.end());
        context.print(report, () => showCopied(report, database.url));
      });
    });
}

/** A command that brings the database to this release and tells what it holds. */
function looking(db: Command, name: 'check' | 'migrate', description: string): void {
  db.command(name)
    .description(description)
    .addHelpText(
      'after',
      `
With --config it is the database that the configuration names: a server, or the file in its data directory. The gateway
must be stopped. Tables that hold the same have the same digest, in a file and on a server.

Examples:
  whorl db ${name}
  whorl db ${name} --config whorl.yaml`,
    )
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const { checkDatabase } = await import('../../store/check.ts');
        const report = checkDatabase(dataDirectory(command), configOf(command)?.database);
        context.print(report, () =>
          [
            `${report.place}: schema ${report.version}, ${report.sound ? 'sound' : 'DAMAGED: restore a backup'}`,
            table(
              ['TABLE', 'ROWS', 'DIGEST'],
              report.tables.map((one) => [
                one.name,
                one.rows.toLocaleString('en'),
                one.digest.slice(0, DIGEST_SHOWN),
              ]),
            ),
          ].join('\n'),
        );
        if (!report.sound) process.exitCode = 1;
      });
    });
}

/** Has the gateway that works on the data directory copy its database. @returns `false` when none does */
async function snapshotOf(context: ReturnType<typeof contextOf>, file: string): Promise<boolean> {
  try {
    await context.client.send('POST', '/database/copies', { file });
    return true;
  } catch (error) {
    if (codeOf(error) === 'GATEWAY_UNREACHABLE') return false;
    throw error;
  }
}

/** The configuration that a command names. @throws ConfigError */
export function configOf(command: Command): Config | undefined {
  const { config } = command.optsWithGlobals<{ readonly config?: string }>();
  return config === undefined ? undefined : loadConfig(config);
}
