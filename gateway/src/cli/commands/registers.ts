import { WhorlError } from '@whorl/protocol';
import type { Command } from 'commander';
import type { UnitStatus } from '../../terminals/registers/registers.ts';
import { contextOf, guarded } from '../context.ts';
import { table } from '../table.ts';

/** Commands for what is read by Modbus. */
export function addRegisterCommands(program: Command): void {
  const registers = program
    .command('registers')
    .description('show what is read by Modbus: supply, battery, contacts of terminals; modules')
    .argument('[name]', 'a terminal or a module; all when not given')
    .addHelpText(
      'after',
      '\nExamples:\n  whorl registers\n  whorl registers terminal-3\n  whorl registers set door-7 relay 1',
    )
    .action(async (name: string | undefined, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const all = await context.client.get<UnitStatus[]>('/registers');
        const units = all.filter((unit) => name === undefined || unit.name === name);
        if (name !== undefined && units.length === 0)
          throw new WhorlError('REGISTER_UNKNOWN', `no terminal or module with registers is called ${name}`);
        context.print(units, () => (units.length === 0 ? NONE : shown(units)));
      });
    });
  registers
    .command('set')
    .description('set a register of a module that the configuration lets people set: a relay')
    .argument('<name>', 'the module')
    .argument('<register>')
    .argument('<value>', '0 or 1 of a relay; else a number')
    .addHelpText(
      'after',
      '\nExamples:\n  whorl registers set door-7 relay 1\n  whorl registers set heater target 21.5',
    )
    .action(async (name: string, register: string, given: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const value = Number(given);
        if (given.trim() === '' || !Number.isFinite(value))
          throw new WhorlError('USAGE', `${given} is no number`);
        const path = `/registers/${encodeURIComponent(name)}/${encodeURIComponent(register)}`;
        const answer = await context.client.send<{ value: number }>('PUT', path, { value });
        context.print(answer, () => `${register} of ${name} is ${answer.value}.`);
      });
    });
}

const NONE = 'Nothing is read by Modbus. `modbus` in the configuration names what shall be.';

function shown(units: readonly UnitStatus[]): string {
  const rows = units.flatMap((unit) =>
    unit.registers.map(({ name, value, unit: of, kind, address, writable }) => [
      unit.name,
      name,
      value === undefined ? '–' : `${value}${of === undefined ? '' : ` ${of}`}`,
      writable ? 'set' : '',
      unit.state,
      `${unit.bus}, unit ${unit.unit}, ${kind} ${address}`,
    ]),
  );
  const silent = units.filter(({ reason }) => reason !== undefined);
  const why = silent.map(({ name, reason = '' }) => `${name} is silent: ${reason}`);
  return [table(['of', 'register', 'value', 'may be', 'state', 'read at'], rows), ...why].join('\n');
}
