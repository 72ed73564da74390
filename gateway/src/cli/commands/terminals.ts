import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { contextOf, guarded } from '../context.ts';

/** Commands for terminals: who may talk with this gateway. */
export function addTerminalCommands(program: Command): void {
  program
    .command('pair')
    .description('pair with a terminal, or with the one that replaces it: choose "pair" in its menu first')
    .argument('<terminal>', 'its name in the configuration')
    .option('--code <digits>', 'the code that it shows; asked for when not given')
    .addHelpText('after', '\nExample:\n  whorl pair terminal-3 --code 604411')
    .action(async (terminal: string, options: { code?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context.json, async () => {
        const code = options.code ?? (await askCode(terminal));
        const answer = await context.client.send<{ serial: string }>('POST', `/terminals/${terminal}/pair`, {
          code: code.replaceAll(/\s/g, ''),
        });
        context.print(answer, () => `${terminal} is paired: serial ${answer.serial}.`);
      });
    });
  program
    .command('unpair')
    .description('end the pairing of a terminal: it gets nothing any more, and keeps what it holds')
    .argument('<terminal>')
    .action(async (terminal: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context.json, async () => {
        const answer = await context.client.send<{ serial: string }>('POST', `/terminals/${terminal}/unpair`);
        context.print(answer, () => `${terminal} is not paired any more: serial ${answer.serial}.`);
      });
    });
}

async function askCode(terminal: string): Promise<string> {
  const screen = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await screen.question(`Code on the display of ${terminal}: `);
  } finally {
    screen.close();
  }
}
