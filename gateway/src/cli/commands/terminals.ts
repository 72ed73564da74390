import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { contextOf, guarded } from '../context.ts';

/** Commands for terminals: who may talk with this gateway. */
export function addTerminalCommands(program: Command): void {
  addPairing(program, { name: 'pair', doc: 'pair with a terminal: choose "pair" in its menu first' });
  addPairing(program, {
    name: 'replace',
    doc: 'pair with a terminal that hangs in the place of a broken one: it gets its name and users, and the old one is let in no more',
  });
  program
    .command('unpair')
    .description('end the pairing of a terminal: it gets nothing any more, and keeps what it holds')
    .argument('<terminal>')
    .action(async (terminal: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const answer = await context.client.send<{ serial: string }>(
          'POST',
          `/terminals/${encodeURIComponent(terminal)}/unpair`,
        );
        context.print(answer, () => `${terminal} is not paired any more: serial ${answer.serial}.`);
      });
    });
}

function addPairing(program: Command, { name, doc }: { name: 'pair' | 'replace'; doc: string }): void {
  program
    .command(name)
    .description(doc)
    .argument('<terminal>', 'its name in the configuration')
    .option('--code <digits>', 'the code that it shows; asked for when not given')
    .addHelpText('after', `\nExample:\n  whorl ${name} terminal-3 --code 604411`)
    .action(async (terminal: string, options: { code?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const code = (options.code ?? (await askCode(terminal))).replaceAll(/\s/g, '');
        const body = { code, replace: name === 'replace' };
        const answer = await context.client.send<{ serial: string }>(
          'POST',
          `/terminals/${encodeURIComponent(terminal)}/pair`,
          body,
        );
        context.print(answer, () => `${terminal} is paired: serial ${answer.serial}.`);
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
