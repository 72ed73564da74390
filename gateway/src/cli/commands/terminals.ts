import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { CompareReport } from '../../sync/compare.ts';
import { contextOf, guarded } from '../context.ts';

/** Commands for terminals: who may talk with this gateway. */
export function addTerminalCommands(program: Command): void {
  addPairing(program, { name: 'pair', doc: 'pair with a terminal: choose "pair" in its menu first' });
  addPairing(program, {
    name: 'replace',
    doc: 'pair with a terminal that hangs in the place of a broken one: it gets its name and users, and the old one is let in no more',
  });
  program
    .command('compare')
    .description(
      'compare what a terminal holds with what it should, by content; only differences cross the line',
    )
    .argument('<terminal>')
    .option('--repair', 'send what differs or is missing, and fetch who is only there')
    .addHelpText('after', '\nExamples:\n  whorl compare terminal-3\n  whorl compare terminal-3 --repair')
    .action(async (terminal: string, options: { repair?: boolean }, command: Command) => {
      const context = contextOf(command);
      await guarded(context.json, async () => {
        const path = `/terminals/${terminal}/compare`;
        const body = { repair: options.repair === true };
        const report = await context.client.send<CompareReport>('POST', path, body);
        context.print(report, () => showReport(report));
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

function addPairing(program: Command, { name, doc }: { name: 'pair' | 'replace'; doc: string }): void {
  program
    .command(name)
    .description(doc)
    .argument('<terminal>', 'its name in the configuration')
    .option('--code <digits>', 'the code that it shows; asked for when not given')
    .addHelpText('after', `\nExample:\n  whorl ${name} terminal-3 --code 604411`)
    .action(async (terminal: string, options: { code?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context.json, async () => {
        const code = (options.code ?? (await askCode(terminal))).replaceAll(/\s/g, '');
        const body = { code, replace: name === 'replace' };
        const answer = await context.client.send<{ serial: string }>(
          'POST',
          `/terminals/${terminal}/pair`,
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

const MOST_SHOWN = 20;

function showReport({ terminal, same, different, missing, extra, pushed, pulled }: CompareReport): string {
  const list = (what: string, ids: readonly number[]): string[] => {
    if (ids.length === 0) return [];
    const more = ids.length > MOST_SHOWN ? `, and ${ids.length - MOST_SHOWN} more` : '';
    return [`  ${what}: ${ids.slice(0, MOST_SHOWN).join(', ')}${more}`];
  };
  const equal = different.length + missing.length + extra.length === 0;
  return [
    `${terminal}: ${same} users the same${equal ? ', and no others.' : ''}`,
    ...list('different there', different),
    ...list('missing there', missing),
    ...list('only there', extra),
    ...(pushed + pulled === 0 ? [] : [`  on their way: ${pushed} to it, ${pulled} from it`]),
  ].join('\n');
}
