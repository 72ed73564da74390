import { execFile } from 'node:child_process';
import type { ExecFileException } from 'node:child_process';
import { Client } from '@whorl/device-emulator/control/client';
import { Emulator } from '@whorl/device-emulator/control/emulator';
import { reasonOf } from '@whorl/protocol';
import { z } from 'zod';
import { askAt } from './console.ts';
import type { ConsolePlace } from './console.ts';
import type { PortsTerminal, Switch } from './rig-file.ts';
import type { Hands } from './site.ts';

const COMMAND_MS = 30_000;
const anything = z.looseObject({});

/** Something at a rig that is switched off and on, or pulled and plugged. */
export interface Switched {
  readonly off: () => Promise<void>;
  readonly on: () => Promise<void>;
}

/** What of a terminal behind a port can be done, as the rig file says. */
export function handsBehind(terminal: PortsTerminal, at: ConsolePlace | undefined): Hands {
  const { name, people } = terminal;
  const cut = (): Switched =>
    switchOf(terminal.power, at, {
      of: `the power of ${name}`,
      person: [`Cut the power of ${name}`, `Give power to ${name} again`],
      emulator: [`/terminals/${name}/power-off`, `/terminals/${name}/power-on`],
    });
  const power = { powerOff: () => cut().off(), powerOn: () => cut().on() };
  if (people === 'person') return { ...asked(name, at), ...power };
  if (people !== undefined) return { ...told(name, new Emulator(people.emulator)), ...power };
  const nobody = async (): Promise<never> => {
    throw new Error(`the rig file names nobody who does anything at ${name}`);
  };
  return {
    ...{ enrol: nobody, giveUp: nobody, remove: nobody, factoryReset: nobody, pairingCode: nobody },
    ...power,
  };
}

function asked(name: string, at: ConsolePlace | undefined): Omit<Hands, 'powerOff' | 'powerOn'> {
  const please = async (what: string): Promise<void> => {
    await askAt(at, `${what}, then Enter`);
  };
  return {
    enrol: (user, finger) => please(`Enrol user ${user} at ${name} and press finger ${finger}`),
    giveUp: (user) => please(`Begin to enrol user ${user} at ${name}, and give it up`),
    remove: (user) => please(`Delete user ${user} at ${name}`),
    factoryReset: () => please(`Reset ${name} to new`),
    pairingCode: () =>
      askAt(at, `Choose "pair" in the menu of ${name}, type the code that it shows, then Enter`),
  };
}

function told(name: string, emulator: Emulator): Omit<Hands, 'powerOff' | 'powerOn'> {
  return {
    enrol: async (user, finger) => {
      await emulator.at(name, 'enrol', { user, finger });
    },
    giveUp: async (user) => {
      await emulator.at(name, 'enrol-fail', { user });
    },
    remove: async (user) => {
      await emulator.at(name, 'delete', { user });
    },
    factoryReset: async () => {
      await emulator.at(name, 'factory-reset', {});
    },
    pairingCode: async () => (await emulator.at(name, 'pair', {})).code,
  };
}

interface Words {
  readonly of: string;
  /** What a person is asked to do: off, on. */
  readonly person: readonly [string, string];
  /** Where an emulator is told so: off, on. */
  readonly emulator: readonly [string, string];
}

/** Who switches something, as the rig file says. */
export function switchOf(who: Switch | undefined, at: ConsolePlace | undefined, words: Words): Switched {
  const turn = async (to: 0 | 1): Promise<void> => {
    if (who === undefined) throw new Error(`the rig file names nobody who switches ${words.of}`);
    if (who === 'person') await askAt(at, `${words.person[to]}, then Enter`);
    else if ('emulator' in who) await new Client(who.emulator).post(words.emulator[to], {}, anything);
    else await run(to === 0 ? who.off : who.on);
  };
  return { off: () => turn(0), on: () => turn(1) };
}

function run([program = '', ...words]: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, words, { timeout: COMMAND_MS }, (error, _, err) => {
      if (error === null) resolve();
      else reject(new Error(`${[program, ...words].join(' ')}: ${err.trim() || whyNot(error)}`));
    });
  });
}

/** Why a command that says nothing has not done it. */
function whyNot(error: ExecFileException): string {
  if (error.killed === true) return `has not ended within ${COMMAND_MS / 1000} s`;
  return typeof error.code === 'number' ? `ended with code ${error.code}` : reasonOf(error);
}
