import { Argument } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import { Client } from '../client.ts';
import { showModel, showModels, tellModels } from '../models.ts';
import { detailsAnswer, showDetails, showTerminals, terminalsAnswer } from '../show.ts';
import { lineAnswer, moduleAnswer, showLine, showLines, showModule, showModules } from '../show-lines.ts';
import { addFaults } from './catalogue.ts';
import { areaOf } from './places.ts';
import { controlCommand, guarded, print } from './shell.ts';
import type { Shared, Shell } from './shell.ts';

/** Adds the commands that only look. */
export function addLooking(program: Command, shell: Shell): void {
  addList(program, shell);
  addShow(program, shell);
  addFaults(program, shell);
  addDump(program, shell);
  addModels(program, shell);
}

function addList(program: Command, shell: Shell): void {
  controlCommand(program, 'list', 'list the terminals of the running emulator, its lines, or its modules')
    .addArgument(
      new Argument('[what]', 'what is listed')
        .choices(['terminals', 'lines', 'modules'])
        .default('terminals'),
    )
    .addHelpText(
      'after',
      `
Examples:
  whorl-emulator list
  whorl-emulator list lines
  whorl-emulator list modules --json`,
    )
    .action((what: 'terminals' | 'lines' | 'modules', options: Shared) =>
      guarded(shell, options, async () => {
        const client = new Client(options.controlPort);
        if (what === 'lines') {
          const lines = await client.get('/lines', z.array(lineAnswer));
          print(shell, options, lines, showLines(lines));
        } else if (what === 'modules') {
          const modules = await client.get('/modules', z.array(moduleAnswer));
          print(shell, options, modules, showModules(modules));
        } else {
          const terminals = await client.get('/terminals', terminalsAnswer);
          print(shell, options, terminals, showTerminals(terminals));
        }
      }),
    );
}

function addShow(program: Command, shell: Shell): void {
  controlCommand(
    program,
    'show',
    'show a terminal with who it holds and its log, a line with what crossed it, or a module',
  )
    .argument('<name>', 'of a terminal, a line or a module')
    .option('--logs <n>', 'so many of the newest log records of a terminal', '20')
    .addHelpText(
      'after',
      `
Examples:
  whorl-emulator show terminal-3
  whorl-emulator show terminal-3 --logs 500 --json
  whorl-emulator show floor`,
    )
    .action((name: string, options: Shared & { logs: string }) =>
      guarded(shell, options, async () => {
        const client = new Client(options.controlPort);
        const area = await areaOf(client, name);
        if (area === 'lines') {
          const line = await client.get(`/lines/${encodeURIComponent(name)}`, lineAnswer);
          print(shell, options, line, showLine(line));
        } else if (area === 'modules') {
          const modules = await client.get('/modules', z.array(moduleAnswer));
          for (const module of modules.filter((one) => one.name === name))
            print(shell, options, module, showModule(module));
        } else {
          const path = `/terminals/${encodeURIComponent(name)}?logs=${encodeURIComponent(options.logs)}`;
          const terminal = await client.get(path, detailsAnswer);
          print(shell, options, terminal, showDetails(terminal));
        }
      }),
    );
}

function addDump(program: Command, shell: Shell): void {
  controlCommand(
    program,
    'dump',
    'print what a terminal holds, to make another of it; no name, card number, PIN or template leaves it',
  )
    .argument('<terminal>')
    .addHelpText(
      'after',
      `
Examples:
  whorl-emulator dump terminal-3 > terminal-3.json
  whorl-emulator fleet --from terminal-3.json         # another one like it
  # in a fleet file: terminals: [{ name: terminal-9, from: terminal-3.json }]`,
    )
    .action((terminal: string, options: Shared) =>
      guarded(shell, options, async () => {
        const path = `/terminals/${encodeURIComponent(terminal)}/dump`;
        const dump = await new Client(options.controlPort).get(path, z.looseObject({}));
        shell.out(JSON.stringify(dump));
      }),
    );
}

function addModels(program: Command, shell: Shell): void {
  program
    .command('models')
    .description(
      'list the models of terminals, or tell all about one: what it holds, its firmwares and their quirks',
    )
    .argument('[model]', 'name of a model, or path of a model file')
    .option('--json', 'print JSON for programs')
    .addHelpText(
      'after',
      `
Examples:
  whorl-emulator models
  whorl-emulator models finger-10k
  whorl-emulator models ./my-model.yaml        # and tells what is wrong with it
  # in a fleet file: { name: terminal-9, model: finger-10k, firmware: 1.2.0 }
  #                  { name: terminal-9, model: ./my-model.yaml }`,
    )
    .action((model: string | undefined, options: Pick<Shared, 'json'>) =>
      guarded(shell, options, async () => {
        const told = tellModels(model);
        print(shell, options, told, model === undefined ? showModels(told) : told.map(showModel).join('\n'));
      }),
    );
}
