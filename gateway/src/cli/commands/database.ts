import type { Command } from 'commander';
import { systemClock } from '@whorl/protocol';
import { loadConfig } from '../../settings/config.ts';
import type { Config } from '../../settings/config.ts';
import { contextOf, dataDirectory, guarded, usageError } from '../context.ts';
import { table } from '../table.ts';

const EVERY_ROWS = 10_000;

/** Commands that work on the database itself, while the gateway is stopped. */
export function addDatabaseCommands(program: Command): void {
  const db = program
    .command('db')
    .description('check the database, or move it to a server, while the gateway is stopped');
  db.command('check')
    .alias('migrate')
    .description('bring the database to this release and say whether it is sound')
    .addHelpText(
      'after',
      `
With --config it is the database that the configuration names: a server, or the file in its data directory.

Examples:
  whorl db check
  whorl db check --config whorl.yaml`,
    )
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context.json, async () => {
        const { checkDatabase } = await import('../../store/check.ts');
        const report = checkDatabase(dataDirectory(command), configOf(command)?.database);
        context.print(report, () =>
          [
            `${report.place}: schema ${report.version}, ${report.sound ? 'sound' : 'DAMAGED: restore a backup'}`,
            table(
              ['TABLE', 'ROWS'],
              report.tables.map(({ name, rows }) => [name, rows.toLocaleString('en')]),
            ),
          ].join('\n'),
        );
        if (!report.sound) process.exitCode = 1;
      });
    });
  db.command('copy')
    .description('copy the database of the data directory to the server that the configuration names')
    .option('--yes', 'replace what the server holds; it is kept aside in a schema of another name')
    .addHelpText(
      'after',
      `
The file stays as it is. The master key stays in the data directory: it never goes to the server. A backup is brought to
a server by restoring it first: whorl restore, then whorl db copy --yes.

Example:
  whorl db copy --config whorl.yaml`,
    )
    .action(async (options: { yes?: boolean }, command: Command) => {
      const context = contextOf(command);
      await guarded(context.json, async () => {
        const config = configOf(command);
        if (config?.database === undefined)
          throw usageError(
            'name a configuration with `database:` by --config: that is where it is copied to',
          );
        const { moveToServer } = await import('../../store/postgres/moving.ts');
        const progress = (rows: number): void => {
          if (rows % EVERY_ROWS === 0) process.stderr.write(`${rows.toLocaleString('en')} rows\n`);
        };
        const { data, database } = config;
        const now = systemClock.wallTime();
        const report = moveToServer({ data, database, replace: options.yes === true, now, progress });
        context.print(report, () =>
          [
            `${report.rows.toLocaleString('en')} rows are at ${database.url}, as many as in the file. Start the gateway.`,
            ...(report.aside === undefined ? [] : [`What was there is kept in schema ${report.aside}.`]),
          ].join('\n'),
        );
      });
    });
}

/** The configuration that a command names. @throws ConfigError */
export function configOf(command: Command): Config | undefined {
  const { config } = command.optsWithGlobals<{ readonly config?: string }>();
  return config === undefined ? undefined : loadConfig(config);
}
