import { codeOf } from '@whorl/protocol';
import type { Command } from 'commander';
import type { z } from 'zod';
import { RequestError } from '../../values/given.ts';
import { suggest } from '../../values/suggest.ts';
import { Client } from '../client.ts';
import { CATALOGUE, faultsView } from '../fault-routes.ts';
import { showActive, showFault, showFaults } from '../show-faults.ts';
import { controlCommand, guarded, print } from './shell.ts';
import type { Shared, Shell } from './shell.ts';

/** Adds the command that tells what can go wrong; it needs no emulator, which only knows what is wrong now. */
export function addFaults(program: Command, shell: Shell): void {
  controlCommand(
    program,
    'faults',
    'list all that can go wrong, or tell about one: what it looks like in the field, its parameters; and what is wrong at the moment',
  )
    .argument('[fault]', 'only this one')
    .addHelpText(
      'after',
      `
Examples:
  whorl-emulator faults
  whorl-emulator faults late
  whorl-emulator fault terminal-3 late --by 40ms --chance 0.1 --for 10s
  whorl-emulator heal terminal-3`,
    )
    .action((fault: string | undefined, options: Shared) =>
      guarded(shell, options, async () => {
        if (fault === undefined) await tellAll(shell, options);
        else {
          const { told, shown } = tellFault(fault);
          print(shell, options, told, shown);
        }
      }),
    );
}

async function tellAll(shell: Shell, options: Shared): Promise<void> {
  const active = await activeNow(options.controlPort);
  const now =
    active === undefined ? 'No emulator answers: what is wrong there is not known.' : showActive(active);
  const told = active === undefined ? CATALOGUE : { active, ...CATALOGUE };
  print(shell, options, told, `${showFaults(CATALOGUE)}\n\n${now}`);
}

async function activeNow(port: number): Promise<z.infer<typeof faultsView>['active'] | undefined> {
  try {
    return (await new Client(port).get('/faults', faultsView)).active;
  } catch (error) {
    if (codeOf(error) === 'CONTROL_UNREACHABLE') return undefined;
    throw error;
  }
}

/** All about a fault, of lines, of terminals or of both. @throws RequestError */
export function tellFault(name: string): { readonly told: object; readonly shown: string } {
  const found = Object.entries(CATALOGUE).flatMap(([on, faults]) =>
    faults.filter((one) => one.name === name).map((one) => ({ on, ...one })),
  );
  const names = new Set(Object.values(CATALOGUE).flatMap((faults) => faults.map((one) => one.name)));
  if (found.length === 0)
    throw new RequestError(
      'fault',
      `no fault is called ${name}; ${suggest(name, [...names])}`,
      'CONTROL_UNKNOWN',
    );
  const shown = found.map((one) => (found.length === 1 ? '' : `On a ${one.on}\n`) + showFault(one));
  return { told: found, shown: shown.join('\n\n') };
}
