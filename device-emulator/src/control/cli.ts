#!/usr/bin/env node
import { Command } from 'commander';
import { describe, ERRORS, codeOf, systemClock, WhorlError } from '@whorl/protocol';
import { readFleet } from '../fleet/config.ts';
import { startFleet } from '../fleet/fleet.ts';
import { ACTIONS } from './actions.ts';
import { CONTROL_PORT, serveControl } from './server.ts';

const EXIT = { failed: 1, usage: 2, unreachable: 3 } as const;

interface Options {
  readonly json?: boolean;
  readonly controlPort: string;
}

const program = new Command('whorl-emulator')
  .description('Terminals that stand in for hardware, on real pseudo-terminals and TCP.')
  .enablePositionalOptions()
  .option('--json', 'print JSON for programs')
  .option(
    '--control-port <n>',
    'where the running emulator is told what to do, on loopback',
    String(CONTROL_PORT),
  )
  .addHelpText(
    'after',
    `\nExit codes:\n  0 done   ${EXIT.failed} failed   ${EXIT.usage} bad input   ${EXIT.unreachable} no emulator answers`,
  )
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : EXIT.usage);
  });

program
  .command('start')
  .description('start the terminals of a fleet file')
  .requiredOption('--config <file>', 'fleet file; see fleet.example.yaml')
  .action(async ({ config }: { config: string }, command: Command) => {
    await guarded(command, async (options) => {
      const fleet = await startFleet(readFleet(config), systemClock);
      const { app, port } = await serveControl(fleet, Number(options.controlPort));
      const places = [...fleet.lines.values()].map(
        (line) => `${line.name}: ${line.terminals.size} terminals, ${line.cable.place}`,
      );
      print(options, { port, lines: places }, [...places, `control on 127.0.0.1 port ${port}`].join('\n'));
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.once(signal, () => {
          void app
            .close()
            .then(() => fleet.stop())
            .then(() => process.exit(0));
        });
      }
    });
  });

program
  .command('do')
  .description('do something to a terminal')
  .argument('<terminal>')
  .argument('<action>')
  .argument('[options...]', 'as the action wants them: --user 1042 --fingers 2')
  .allowUnknownOption()
  .passThroughOptions()
  .addHelpText(
    'after',
    `\nActions:\n${Object.entries(ACTIONS)
      .map(([name, row]) => `  ${name.padEnd(14)} ${row.doc}`)
      .join(
        '\n',
      )}\n\nExamples:\n  whorl-emulator do terminal-3 enrol --user 1042 --name Ada --fingers 2\n  whorl-emulator do terminal-1 unplug-line`,
  )
  .action(async (terminal: string, action: string, rest: string[], _options, command: Command) => {
    await guarded(command, async (options) => {
      const answer = await call(
        options,
        'POST',
        `/terminals/${encodeURIComponent(terminal)}/${encodeURIComponent(action)}`,
        membersOf(rest),
      );
      print(options, answer, `${terminal}: ${action}: ${JSON.stringify(answer)}`);
    });
  });

program
  .command('list')
  .description('list the terminals of the running emulator')
  .action(async (_options, command: Command) => {
    await guarded(command, async (options) => {
      const list = (await call(options, 'GET', '/terminals')) as {
        name: string;
        line: string;
        address: number;
        power: string;
        users: number | null;
        place: string;
      }[];
      print(
        options,
        list,
        list
          .map(
            (one) =>
              `${one.name.padEnd(16)} ${one.line.padEnd(12)} ${String(one.address).padStart(3)}  ${one.power.padEnd(8)} ${String(one.users ?? '–').padStart(6)} users  ${one.place}`,
          )
          .join('\n'),
      );
    });
  });

program
  .command('show')
  .description('show what a terminal holds')
  .argument('<terminal>')
  .action(async (terminal: string, _options, command: Command) => {
    await guarded(command, async (options) => {
      const shown = await call(options, 'GET', `/terminals/${encodeURIComponent(terminal)}`);
      print(options, shown, JSON.stringify(shown, undefined, 2));
    });
  });

await program.parseAsync();

async function guarded(command: Command, work: (options: Options) => Promise<void>): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  try {
    await work(options);
  } catch (error) {
    const code = codeOf(error);
    const remedy = code === undefined ? '' : ERRORS[code];
    console.error(
      options.json === true
        ? JSON.stringify({ code, message: describe(error), remedy })
        : `${describe(error)}\n  ${remedy}`,
    );
    process.exitCode =
      code === 'CONTROL_UNREACHABLE'
        ? EXIT.unreachable
        : code === 'CONTROL_REQUEST' || code === 'FLEET_FILE'
          ? EXIT.usage
          : EXIT.failed;
  }
}

function print(options: Options, value: unknown, text: string): void {
  console.log(options.json === true ? JSON.stringify(value) : text);
}

/** `--one-in 5 --name Ada` as members of a request. @throws WhorlError CONTROL_REQUEST */
function membersOf(rest: readonly string[]): Record<string, string> {
  const members: Record<string, string> = {};
  for (let i = 0; i < rest.length; i += 2) {
    const [key, value] = [rest[i], rest[i + 1]];
    if (key?.startsWith('--') !== true || value === undefined)
      throw new WhorlError('CONTROL_REQUEST', `${key ?? ''}: options are pairs such as --user 1042`);
    members[key.slice(2).replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())] = value;
  }
  return members;
}

async function call(options: Options, method: string, path: string, body?: object): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(`http://127.0.0.1:${options.controlPort}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  } catch (cause) {
    throw new WhorlError('CONTROL_UNREACHABLE', `port ${options.controlPort} of this machine`, { cause });
  }
  const value: unknown = await answer.json();
  if (answer.ok) return value;
  const { code, message } = value as { code?: string; message?: string };
  throw new WhorlError(
    code !== undefined && code in ERRORS ? (code as keyof typeof ERRORS) : 'CONTROL_REQUEST',
    message ?? 'the emulator refused',
  );
}
