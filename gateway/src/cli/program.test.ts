import { fitted } from '@whorl/protocol';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { makeProgram } from './program.ts';

const COLUMNS = 80;

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** What `--help` tells, in a file. */
function helpOf(command: Command): string {
  let told = '';
  command.configureOutput({ ...command.configureOutput(), writeOut: (text) => (told += text) });
  command.outputHelp();
  return told;
}

test('help of every command fits a terminal of 80 columns, and lines to be pasted stay whole', () => {
  const commands = everyCommand(makeProgram());
  expect(commands.length).toBeGreaterThan(80);
  for (const command of commands) {
    const help = helpOf(command);
    const shown = fitted(help, COLUMNS).split('\n');
    const pasted = help.split('\n').filter((line) => line.startsWith('  whorl '));
    expect(shown.filter((line) => line.length > COLUMNS)).toEqual([]);
    expect(shown).toEqual(expect.arrayContaining(pasted));
  }
});
