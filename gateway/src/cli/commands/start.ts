import { flushCompileCache } from 'node:module';
import type { Command } from 'commander';
import { counted, WhorlError } from '@whorl/protocol';
import { configJsonSchema } from '../../settings/schema.ts';
import { ConfigError, loadConfig } from '../../settings/config.ts';
import { fileProblems } from '../../settings/named-files.ts';
import type { HttpFace } from '../../http/face.ts';
import { contextOf, guarded } from '../context.ts';
import { showApi } from './look.ts';

/** Commands that start a gateway, and that look at its configuration file. */
export function addStartCommands(program: Command): void {
  program
    .command('start')
    .description('run the gateway until it is told to stop')
    .option('--fresh', 'begin with an empty database although this data directory had one')
    .addHelpText('after', '\nExample:\n  whorl start --config whorl.yaml')
    .action(async ({ fresh }: { fresh?: true }, command: Command) => {
      const { config = 'whorl.yaml', data } = command.optsWithGlobals<{ config?: string; data?: string }>();
      const context = contextOf(command);
      const { json } = context;
      await guarded(context, async () => {
        if (data !== undefined)
          throw new WhorlError(
            'USAGE',
            'not --data: where a gateway keeps its data is `data:` of its configuration',
          );
        const loaded = loadConfig(config);
        // Loaded only here: the other commands start sooner without it.
        const [{ openServiceStore }, { makeLog }] = await Promise.all([
          import('../../store/thread/service.ts'),
          import('../log.ts'),
        ]);
        const log = makeLog(loaded.logLevel, json || !process.stdout.isTTY);
        // The thread opens the database while this one loads the rest.
        const store = openServiceStore({ ...loaded, fresh }, log);
        const { startService } = await import('../../service.ts');
        const service = await startService(loaded, log, store);
        tellApi(service.http, json);
        const stop = (signal: NodeJS.Signals): void => {
          log.info({ signal }, 'stopping');
          void service.stop().then(() => process.exit(0));
        };
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
        // A gateway may never end but by a power cut; the next start shall be quick nevertheless.
        flushCompileCache();
      });
    });
  const config = program.command('config').description('look at configuration files');
  config
    .command('check')
    .description('say what is wrong with a configuration file')
    .argument('<file>')
    .option('--no-files', 'do not look at the files that it names: it is for another machine')
    .action(async (file: string, { files }: { files: boolean }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const loaded = loadConfig(file);
        const problems = files ? fileProblems(loaded, file) : [];
        if (problems.length > 0) throw new ConfigError(problems);
        const terminals = loaded.site.lines.reduce((sum, line) => sum + line.terminals.length, 0);
        context.print(
          { ok: true, lines: loaded.site.lines.length, terminals },
          () =>
            `${file} is sound: ${counted(loaded.site.lines.length, 'line')}, ${counted(terminals, 'terminal')}.`,
        );
      });
    });
  config
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .action(() => {
      console.log(JSON.stringify(configJsonSchema(), undefined, 2));
    });
}

/** The code goes to the console, never to the log: whoever collects that shall not become admin. */
function tellApi({ place, setupCode }: HttpFace, json: boolean): void {
  if (place === undefined) return;
  if (json) {
    console.error(JSON.stringify({ api: place, ...(setupCode === undefined ? {} : { setupCode }) }));
    return;
  }
  console.error(showApi(place));
  if (setupCode === undefined) return;
  console.error(
    `There is no account yet. The first admin is made with this code, once, until the gateway stops: ${setupCode}\n` +
      `  whorl setup --url ${place.url}\n` +
      'or on this machine without it: whorl accounts add NAME --role admin',
  );
}
