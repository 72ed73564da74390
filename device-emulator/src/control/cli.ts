#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander';
import { codeOf, describe, ERRORS } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import { z } from 'zod';
import { suggest } from '../values/suggest.ts';
import { RequestError } from '../values/given.ts';
import { lineAction, moduleAction, TERMINAL_ACTIONS, terminalAction } from './actions.ts';
import { readArguments } from './arguments.ts';
import { Client, CONTROL_PORT } from './client.ts';
import { showModel, showModels, tellModels } from './models.ts';
import type { FleetConfig } from '../fleet/schema.ts';
import type { StartOptions } from './start.ts';
import {
  activeFaults,
  detailsAnswer,
  faultsAnswer,
  healAnswer,
  linesAnswer,
  showAction,
  showActions,
  showActive,
  showAnswer,
  showDetails,
  showFaults,
  showTerminals,
  terminalsAnswer,
} from './show.ts';

const EXIT = { failed: 1, usage: 2, unreachable: 3 } as const;

const EXITS: Partial<Record<ErrorCode, number>> = {
  CONTROL_REQUEST: EXIT.usage,
  FLEET_FILE: EXIT.usage,
  FLEET_UNKNOWN: EXIT.usage,
  MODEL_FILE: EXIT.usage,
  MODEL_UNKNOWN: EXIT.usage,
  FILE_WRITE: EXIT.usage,
  KEYS_OPEN: EXIT.usage,
  CONTROL_UNREACHABLE: EXIT.unreachable,
};

interface Shared {
  readonly json?: boolean;
  readonly controlPort: number;
}

interface FleetOptions {
  readonly lines: string;
  readonly terminals: string;
  readonly users: string;
  readonly model: string;
  readonly seed: string;
  readonly pty?: string | true;
  readonly tcp?: string | true;
  readonly dial?: string;
  readonly out?: string;
  readonly start: boolean;
}

function port(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number <= 0xffff) return number;
  throw new InvalidArgumentError('a port is a number from 0 to 65535.');
}

const program = new Command('whorl-emulator')
  .description('Terminals that stand in for hardware, on serial ports and TCP.')
  .enablePositionalOptions()
  .showHelpAfterError('(--help tells how it is used)')
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : EXIT.usage);
  })
  .addHelpText(
    'after',
    `
Examples:
  whorl-emulator start --config fleet.yaml
  whorl-emulator fleet --lines 8 --terminals 32 --users 5000
  whorl-emulator do terminal-3 enrol --user 1042 --name Ada --fingers 2
  whorl-emulator show terminal-3

Exit codes:
  0 done   ${EXIT.failed} failed   ${EXIT.usage} not understood   ${EXIT.unreachable} no emulator answers`,
  );

function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--json', 'print JSON for programs')
    .addOption(
      new Option('--control-port <n>', 'port on this machine where the emulator is told what to do')
        .default(CONTROL_PORT)
        .argParser(port),
    );
}

command('start', 'start the terminals of a fleet file; ends with Ctrl-C')
  .requiredOption('--config <file>', 'fleet file; see fleet.example.yaml')
  .option('--capture <file>', 'record all that crosses the lines, as pcapng')
  .option('--key-log <file>', 'append the keys of all sessions: for test rigs, opens what was recorded')
  .addHelpText(
    'after',
    `
Examples:
  whorl-emulator start --config fleet.yaml
  whorl-emulator start --config fleet.yaml --capture site.pcapng --key-log site.keys
  whorl decode site.pcapng --keys site.keys`,
  )
  .option('--control-host <address>', 'address that the control listens on, when others shall reach it')
  .action((options: Shared & StartOptions & { config: string }) =>
    guarded(options, async () => {
      const { readFleet } = await import('../fleet/config.ts');
      await start(readFleet(options.config), options);
    }),
  );

command('fleet', 'make a fleet without a file, and start it; ends with Ctrl-C')
  .option('--lines <n>', 'so many lines', '1')
  .option('--terminals <n>', 'so many terminals on each', '1')
  .option('--users <n>', 'so many users at each, the same everywhere', '0')
  .option('--model <name,…>', 'model of the terminals, or several in turn', 'finger-10k')
  .option('--pty [folder]', 'lines are serial ports: line-1.line and so on in this folder')
  .option('--tcp [port]', 'lines are TCP ports from this one on; any free ones when not given')
  .option('--dial <host:port>', 'lines dial the gateway')
  .option('--seed <n>', 'equal seeds give equal templates', '1')
  .option('--out <file>', 'write the fleet file, too')
  .option('--no-start', 'only write it')
  .option('--control-host <address>', 'address that the control listens on, when others shall reach it')
  .addHelpText(
    'after',
    `
Several terminals behind one TCP connection share a wire of 115,200 baud behind a serial device server; one alone has a
network plug of its own. Each user has a finger, or what the model takes.

Examples:
  whorl-emulator fleet --lines 8 --terminals 32 --users 5000
  whorl-emulator fleet --lines 5000 --tcp --json
  whorl-emulator fleet --lines 2 --terminals 4 --model finger-10k,card-500 --pty /tmp/lines
  whorl-emulator fleet --lines 40 --dial 192.0.2.7:7400 --users 200
  whorl-emulator fleet --lines 8 --terminals 32 --users 5000 --out site.yaml --no-start`,
  )
  .action((options: Shared & StartOptions & FleetOptions) =>
    guarded(options, async () => {
      const { checkedFleet, makeFleet, writeFleet } = await import('../fleet/make.ts');
      const { hasPty } = await import('../bus/pty.ts');
      const { lines, terminals, users, model, seed, dial } = options;
      const wished = options.tcp !== undefined || options.pty !== undefined || dial !== undefined;
      const pty = options.pty ?? (wished || !hasPty() ? undefined : true);
      const tcp = options.tcp ?? (wished || hasPty() ? undefined : true);
      const given = {
        ...{ lines, terminals, users, model, seed },
        ...(pty === undefined ? {} : { pty: pty === true ? '.' : pty }),
        ...(tcp === undefined ? {} : { tcp: tcp === true ? 0 : tcp }),
        ...(dial === undefined ? {} : { dial }),
      };
      const fleet = makeFleet(given);
      if (options.out !== undefined) writeFleet(options.out, fleet);
      if (options.start) await start(checkedFleet(fleet), options);
      else print(options, { out: options.out }, `written to ${options.out ?? 'nowhere: say --out'}`);
    }),
  );

command('do', 'do something to a terminal or a line')
  .argument('<target>', 'name of a terminal or a line')
  .argument('<action>')
  .argument('[options...]', 'what the action wants, such as --user 1042; --help tells')
  .allowUnknownOption()
  .passThroughOptions()
  .addHelpText(
    'after',
    () => `
${showActions()}

Examples:
  whorl-emulator do terminal-3 enrol --user 1042 --name Ada --fingers 2
  whorl-emulator do terminal-3 enrol --count 500 --fingers 10
  whorl-emulator do terminal-1 edit --user 1042 --name "Ada Lovelace" --clear finger.1
  whorl-emulator do terminal-1 tap --card 04a1b2c3
  whorl-emulator do floor unplug
  whorl-emulator do terminal-3 enrol --help`,
  )
  .action((target: string, action: string, rest: string[], options: Shared) =>
    guarded(rest.includes('--json') ? { ...options, json: true } : options, () =>
      act(target, action, rest, options),
    ),
  );

command(
  'faults',
  'list all that can go wrong, what it looks like in the field, and what is wrong at the moment',
)
  .addHelpText(
    'after',
    `
Examples:
  whorl-emulator faults
  whorl-emulator fault terminal-3 late --by 40ms --chance 0.1 --for 10s
  whorl-emulator heal terminal-3`,
  )
  .action((options: Shared) =>
    guarded(options, async () => {
      const told = await new Client(options.controlPort).get('/faults', faultsAnswer);
      print(options, told, showFaults(told));
    }),
  );

command('fault', 'make something wrong with a terminal or a line')
  .argument('<target>', 'name of a terminal or a line')
  .argument('<fault>', 'see `whorl-emulator faults`')
  .argument('[options...]', 'what the fault wants, and --for how long')
  .allowUnknownOption()
  .passThroughOptions()
  .addHelpText(
    'after',
    `
Examples:
  whorl-emulator fault floor noise --for 2s
  whorl-emulator fault floor corrupt --rate 1e-4
  whorl-emulator fault terminal-3 twin
  whorl-emulator fault terminal-3 power-cut --bytes 200`,
  )
  .action((target: string, fault: string, rest: string[], options: Shared) =>
    guarded(rest.includes('--json') ? { ...options, json: true } : options, async () => {
      const given = readArguments(rest);
      const shared = { ...options, ...(given.json ? { json: true } : {}) };
      const client = new Client(
        given.controlPort === undefined ? shared.controlPort : port(given.controlPort),
      );
      const path = `/faults/${encodeURIComponent(target)}/${encodeURIComponent(fault)}`;
      const answer = await client.post(path, given.body, activeFaults);
      print(shared, answer, `${target}: ${fault}\n${showActive(answer.active)}`);
    }),
  );

command('heal', 'put right what is wrong with a terminal or a line')
  .argument('<target>', 'name of a terminal or a line')
  .argument('[fault]', 'all when not given')
  .action((target: string, fault: string | undefined, options: Shared) =>
    guarded(options, async () => {
      const path = ['', 'faults', target, ...(fault === undefined ? [] : [fault])].map(encodeURIComponent);
      const answer = await new Client(options.controlPort).remove(path.join('/'), healAnswer);
      print(options, answer, `${target}: ${answer.ended} put right`);
    }),
  );

command('list', 'list the terminals of the running emulator').action((options: Shared) =>
  guarded(options, async () => {
    const list = await new Client(options.controlPort).get('/terminals', terminalsAnswer);
    print(options, list, showTerminals(list));
  }),
);

command('show', 'show a terminal: who it holds, and its log')
  .argument('<terminal>')
  .option('--logs <n>', 'so many of the newest log records', '20')
  .action((terminal: string, options: Shared & { logs: string }) =>
    guarded(options, async () => {
      const path = `/terminals/${encodeURIComponent(terminal)}?logs=${encodeURIComponent(options.logs)}`;
      const shown = await new Client(options.controlPort).get(path, detailsAnswer);
      print(options, shown, showDetails(shown));
    }),
  );

command(
  'dump',
  'print what a terminal holds, to make another of it; no name, card number, PIN or template leaves it',
)
  .argument('<terminal>')
  .addHelpText(
    'after',
    `
Examples:
  whorl-emulator dump terminal-3 > terminal-3.json
  # in a fleet file: terminals: [{ name: terminal-9, from: terminal-3.json }]`,
  )
  .action((terminal: string, options: Shared) =>
    guarded(options, async () => {
      const path = `/terminals/${encodeURIComponent(terminal)}/dump`;
      const dump = await new Client(options.controlPort).get(path, z.looseObject({}));
      process.stdout.write(`${JSON.stringify(dump)}\n`);
    }),
  );

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
    guarded(options, async () => {
      const told = tellModels(model);
      print(options, told, model === undefined ? showModels(told) : told.map(showModel).join('\n'));
    }),
  );

await program.parseAsync();

async function start(fleet: FleetConfig, options: Shared & StartOptions): Promise<void> {
  // Only this command needs a fleet and a server: the others answer sooner without.
  const { startEmulator } = await import('./start.ts');
  const { controlPort, lines } = await startEmulator(fleet, options);
  const told = lines.map(({ name, place, terminals }) => `${name}: ${terminals.join(', ')}; ${place}`);
  print(
    options,
    { controlPort, lines },
    [
      ...told,
      `whorl-emulator do … on port ${controlPort}`,
      `front panel http://127.0.0.1:${controlPort}/`,
    ].join('\n'),
  );
}

async function act(target: string, name: string, rest: readonly string[], shared: Shared): Promise<void> {
  if (name === '--help' || name === '-h') {
    console.log(showActions());
    return;
  }
  const given = readArguments(rest);
  const known = terminalAction(name) ?? lineAction(name) ?? moduleAction(name);
  if (known === undefined)
    throw new RequestError(
      'action',
      `no action is called ${name}; ${suggest(name, Object.keys(TERMINAL_ACTIONS))}`,
    );
  const options = { ...shared, ...(given.json ? { json: true } : {}) };
  if (given.help) {
    console.log(showAction(name, known));
    return;
  }
  const client = new Client(given.controlPort === undefined ? shared.controlPort : port(given.controlPort));
  const lines = await client.get('/lines', linesAnswer);
  const modules = await client.get('/modules', linesAnswer);
  const isOne = (one: { readonly name: string }): boolean => one.name === target;
  const kind = lines.some(isOne) ? 'lines' : modules.some(isOne) ? 'modules' : 'terminals';
  const path = `/${kind}/${encodeURIComponent(target)}/${encodeURIComponent(name)}`;
  const answer = await client.post(path, given.body, z.looseObject({}));
  print(options, answer, showAnswer(target, name, answer));
}

async function guarded(options: Pick<Shared, 'json'>, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const code = error instanceof InvalidArgumentError ? 'CONTROL_REQUEST' : codeOf(error);
    const remedy = code === undefined ? '' : ERRORS[code];
    const place = error instanceof RequestError ? error.place : '';
    const message = error instanceof Error ? error.message : describe(error);
    const text = `${code === undefined ? '' : `${code}: `}${message}\n${remedy}`.trimEnd();
    console.error(options.json === true ? JSON.stringify({ code, message, place, remedy }) : text);
    process.exitCode = (code === undefined ? undefined : EXITS[code]) ?? EXIT.failed;
  }
}

function print(options: Pick<Shared, 'json'>, value: unknown, text: string): void {
  console.log(options.json === true ? JSON.stringify(value) : text);
}
