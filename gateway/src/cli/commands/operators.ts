import type { Command } from 'commander';
import { WhorlError } from '@whorl/protocol';
import { needsRole } from '../beforehand.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { askPassword } from '../prompt.ts';
import { table } from '../table.ts';

/** Commands for those who may log in at portable terminals. */
export function addOperatorCommands(program: Command): void {
  const operators = program
    .command('operators')
    .description('who may log in at portable terminals')
    .addHelpText('after', '\nExamples:\n  whorl operators set 5 --name Mira\n  whorl operators list');
  operators
    .command('list')
    .description('list operators')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const list = await context.client.get<{ id: number; name: string }[]>('/operators');
        context.print(list, () =>
          table(
            ['OPERATOR', 'NAME'],
            list.map(({ id, name }) => [String(id), name]),
          ),
        );
      });
    });
  operators
    .command('set')
    .description('add an operator, or change name or PIN; the PIN is typed, or read from a file')
    .argument('<number>', 'typed at the terminal, 1 to 65535')
    .option('--name <name>')
    .option('--pin-file <file>', 'where the PIN stands, instead of typing it')
    .option('--keep-pin', 'change the name only')
    .addHelpText(
      'after',
      '\nExamples:\n  whorl operators set 5 --name Mira\n  whorl operators set 5 --name Mira --pin-file mira.pin',
    )
    .action(
      async (
        id: string,
        options: { name?: string; pinFile?: string; keepPin?: boolean },
        command: Command,
      ) => {
        const context = contextOf(command);
        await guarded(context, async () => {
          const number = wholeNumber(id, 'number');
          const { name, pinFile, keepPin = false } = options;
          if (keepPin && pinFile !== undefined)
            throw new WhorlError('USAGE', '--keep-pin and --pin-file contradict each other');
          await needsRole(context.client, 'installer');
          const pin = keepPin ? undefined : await askPassword(pinFile, 'PIN: ', { twice: true });
          await context.client.send('PUT', `/operators/${number}`, {
            ...(name === undefined ? {} : { name }),
            ...(pin === undefined ? {} : { pin: pin.trim() }),
          });
          context.print({ id: number }, () => `Operator ${number} may log in where a task names them.`);
        });
      },
    );
  operators
    .command('remove')
    .description('remove an operator whom no task names')
    .argument('<number>')
    .addHelpText('after', '\nExample:\n  whorl operators remove 5')
    .action(async (id: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await context.client.send('DELETE', `/operators/${wholeNumber(id, 'number')}`);
        context.print({ removed: Number(id) }, () => `Operator ${id} is removed.`);
      });
    });
}
