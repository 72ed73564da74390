import { fitted } from '@whorl/protocol';
import { Command } from 'commander';
import { addDoing } from './doing.ts';
import { addFollowing } from './following.ts';
import { addLooking } from './looking.ts';
import { EXIT, say } from './shell.ts';
import type { Shell } from './shell.ts';
import { addStarting } from './starting.ts';

const EXAMPLES = `
Examples:
  whorl-emulator start --config fleet.yaml
  whorl-emulator fleet --lines 8 --terminals 32 --users 5000
  whorl-emulator do terminal-3 enrol --user 1042 --name Ada --fingers 2
  whorl-emulator events --terminal terminal-3 --kind display,identified,denied
  whorl-emulator show terminal-3

Exit codes:
  0 done   ${EXIT.failed} failed   ${EXIT.usage} not understood   ${EXIT.unreachable} no emulator answers`;

/**
 * The command line of the emulator.
 * @param exit ends the process: help was told, with 0, or what was typed is not understood, with 2
 */
export function makeProgram(shell: Shell, exit: (code: number) => never): Command {
  const program = new Command('whorl-emulator')
    .description('Terminals that stand in for hardware, on serial ports and TCP.')
    .option('--json', 'print JSON for programs')
    .enablePositionalOptions()
    .configureHelp({ subcommandTerm: termOf })
    .hook('preAction', (whole, command) => {
      if (whole.opts()['json'] === true) command.setOptionValue('json', true);
    })
    .configureOutput({
      writeOut: (text) => {
        say(shell, text.trimEnd());
      },
      writeErr: (text) => {
        shell.err(fitted(text.trimEnd(), shell.columns));
      },
    })
    .showHelpAfterError('(--help tells how it is used)')
    .exitOverride((error) => exit(error.exitCode === 0 ? 0 : EXIT.usage))
    .addHelpText('after', EXAMPLES);
  addStarting(program, shell);
  addDoing(program, shell);
  addLooking(program, shell);
  addFollowing(program, shell);
  return program;
}

/** A command with what it wants, short enough that what it does stands beside it. */
function termOf(command: Command): string {
  const wants = command.registeredArguments.map((one) => {
    const name = `${one.name()}${one.variadic ? '...' : ''}`;
    return one.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), ...wants].join(' ');
}
