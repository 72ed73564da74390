import type { Command } from 'commander';
import { z } from 'zod';
import { RequestError } from '../../values/given.ts';
import { suggest } from '../../values/suggest.ts';
import {
  lineAction,
  LINE_ACTIONS,
  moduleAction,
  MODULE_ACTIONS,
  TERMINAL_ACTIONS,
  terminalAction,
} from '../actions.ts';
import { readArguments } from '../arguments.ts';
import type { ActionArguments } from '../arguments.ts';
import { Client } from '../client.ts';
import { activeFaults, healAnswer } from '../fault-routes.ts';
import { showAction, showActions, showAnswer } from '../show.ts';
import { showActive } from '../show-faults.ts';
import { tellFault } from './catalogue.ts';
import { areaOf } from './places.ts';
import { controlCommand, guarded, print, readPort, say } from './shell.ts';
import type { Shared, Shell } from './shell.ts';

/** Adds the commands that do something, or make something wrong. */
export function addDoing(program: Command, shell: Shell): void {
  addDo(program, shell);
  addFault(program, shell);
  addHeal(program, shell);
}

function addDo(program: Command, shell: Shell): void {
  controlCommand(program, 'do', 'do something to a terminal, a line or a module')
    .argument('<target>', 'name of a terminal, a line or a module')
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
  whorl-emulator do terminal-1 edit --user 1042 --name "Ada L" --clear finger.1
  whorl-emulator do terminal-1 finger --user 1042
  whorl-emulator do terminal-1 tap --card 04a1b2c3
  whorl-emulator do terminal-2 power-off
  whorl-emulator do floor unplug-line
  whorl-emulator do door-7 set --register contact --value 1
  whorl-emulator do terminal-3 enrol --help`,
    )
    .action((target: string, name: string, rest: string[], options: Shared) =>
      guarded(shell, toldTo(rest, options), async () => {
        if (name === '--help' || name === '-h') say(shell, showActions());
        else await act(shell, { target, name }, readArguments(rest), options);
      }),
    );
}

async function act(
  shell: Shell,
  { target, name }: { readonly target: string; readonly name: string },
  given: ActionArguments,
  shared: Shared,
): Promise<void> {
  const known = terminalAction(name) ?? lineAction(name) ?? moduleAction(name);
  if (known === undefined) {
    const all = { ...TERMINAL_ACTIONS, ...LINE_ACTIONS, ...MODULE_ACTIONS };
    throw new RequestError(
      'action',
      `no action is called ${name}; ${suggest(name, Object.keys(all))}`,
      'CONTROL_UNKNOWN',
    );
  }
  if (given.help) {
    say(shell, showAction(name, known));
    return;
  }
  const client = clientOf(given, shared);
  const area = await areaOf(client, target);
  const path = `/${area}/${encodeURIComponent(target)}/${encodeURIComponent(name)}`;
  const answer = await client.post(path, given.body, z.looseObject({}));
  print(shell, { json: given.json || shared.json === true }, answer, showAnswer(target, name, answer));
}

function addFault(program: Command, shell: Shell): void {
  controlCommand(program, 'fault', 'make something wrong with a terminal or a line')
    .argument('<target>', 'name of a terminal or a line')
    .argument('<fault>', 'see `whorl-emulator faults`')
    .argument('[options...]', 'what the fault wants, and --for how long; --help tells')
    .allowUnknownOption()
    .passThroughOptions()
    .addHelpText(
      'after',
      `
Examples:
  whorl-emulator fault floor noise --for 2s
  whorl-emulator fault floor corrupt --rate 1e-4
  whorl-emulator fault terminal-3 twin
  whorl-emulator fault terminal-3 power-cut --bytes 200
  whorl-emulator fault terminal-3 late --help`,
    )
    .action((target: string, name: string, rest: string[], options: Shared) =>
      guarded(shell, toldTo(rest, options), async () => {
        const given = readArguments(rest);
        if (given.help) {
          say(shell, tellFault(name).shown);
          return;
        }
        const path = `/faults/${encodeURIComponent(target)}/${encodeURIComponent(name)}`;
        const answer = await clientOf(given, options).post(path, given.body, activeFaults);
        const json = given.json || options.json === true;
        print(shell, { json }, answer, `${target}: ${name}\n${showActive(answer.active)}`);
      }),
    );
}

function addHeal(program: Command, shell: Shell): void {
  controlCommand(program, 'heal', 'put right what is wrong with a terminal or a line')
    .argument('<target>', 'name of a terminal or a line')
    .argument('[fault]', 'all when not given')
    .addHelpText(
      'after',
      `
Examples:
  whorl-emulator heal terminal-3
  whorl-emulator heal floor noise`,
    )
    .action((target: string, fault: string | undefined, options: Shared) =>
      guarded(shell, options, async () => {
        const path = ['', 'faults', target, ...(fault === undefined ? [] : [fault])].map(encodeURIComponent);
        const answer = await new Client(options.controlPort).remove(path.join('/'), healAnswer);
        print(shell, options, answer, `${target}: ${answer.ended} put right`);
      }),
    );
}

/** An error among the options is told as it would be, had they been read. */
function toldTo(rest: readonly string[], options: Shared): Pick<Shared, 'json'> {
  return rest.includes('--json') ? { json: true } : options;
}

function clientOf({ controlPort }: ActionArguments, shared: Shared): Client {
  return new Client(controlPort === undefined ? shared.controlPort : readPort(controlPort));
}
