import { z } from 'zod';
import { sensors } from '../events/event.ts';
import type { IoModule } from '../modbus/units.ts';
import { RequestError } from '../values/given.ts';
import { suggest } from '../values/suggest.ts';
import { fraction, whole } from '../values/numbers.ts';
import { action, answering } from './action.ts';
import type { Action, LinePlace, TerminalPlace } from './action.ts';
import { FRONT_ACTIONS } from './front-actions.ts';
import * as take from './options.ts';
import { PEOPLE_ACTIONS } from './people-actions.ts';
import { PORTABLE_ACTIONS } from './portable-actions.ts';

/** What can be done to a line; named with a terminal, to the line that it is on. */
export const LINE_ACTIONS = {
  'unplug-line': action(
    'pull the line’s adapter or connection out of the gateway',
    {},
    ({ line }: LinePlace) => line.cable.unplug(),
  ),
  'plug-line': action('plug the line in again', {}, ({ line }: LinePlace) => line.cable.plug()),
} satisfies Readonly<Record<string, Action<LinePlace>>>;

const HIGHEST_MV = 60_000;

const SENSES = {
  'supply-mv': whole('', 0, HIGHEST_MV).optional().describe('supply voltage, millivolts; 0 for none'),
  'battery-mv': whole('', 0, HIGHEST_MV).optional().describe('battery voltage, millivolts; 0 for none'),
  'battery-percent': whole('', 0, 100).optional().describe('what is left in the battery'),
  tamper: take.truth('').optional().describe('the housing is open: yes or no'),
  door: take.truth('').optional().describe('the door is open: yes or no'),
  docked: take.truth('').optional().describe('it sits in its dock: yes or no'),
};

const SERVICE = {
  reboot: action('start it anew', {}, ({ terminal }: TerminalPlace) => {
    terminal.reboot();
  }),
  'power-off': action('cut its power', {}, ({ terminal }: TerminalPlace) => {
    terminal.powerOff();
  }),
  'power-on': action('give it power again', {}, ({ terminal }: TerminalPlace) => {
    terminal.powerOn();
  }),
  unplug: action('take it off its line', {}, ({ terminal, line }: TerminalPlace) => {
    line.medium.setPlugged(terminal, false);
  }),
  plug: action('put it back on its line', {}, ({ terminal, line }: TerminalPlace) => {
    line.medium.setPlugged(terminal, true);
  }),
  sense: answering(
    'set what it measures: supply, battery, contacts; Modbus tells of it',
    SENSES,
    sensors,
    ({ terminal }: TerminalPlace, given) => {
      const {
        'supply-mv': supplyMv,
        'battery-mv': batteryMv,
        'battery-percent': batteryPercent,
        ...bits
      } = given;
      const named = { supplyMv, batteryMv, batteryPercent, ...bits };
      terminal.sense(Object.fromEntries(Object.entries(named).filter(([, one]) => one !== undefined)));
      return { ...terminal.sensors };
    },
  ),
  'clear-log': action('clear its log', {}, ({ terminal }: TerminalPlace) => {
    terminal.clearLog();
  }),
  'set-clock': answering(
    'set its clock, or how fast that runs',
    {
      time: take.time.optional().describe('what it shall show, such as 2026-05-01T08:00:00Z'),
      ppm: fraction('', -100_000, 100_000)
        .optional()
        .describe('millionths by which it runs fast from now on'),
    },
    z.object({ shown: z.string().describe('What it shows now.') }),
    ({ terminal }: TerminalPlace, { time, ppm }) => {
      if (time === undefined && ppm === undefined)
        throw new RequestError('time', 'say what to set: --time or --ppm');
      terminal.setClock(time ?? terminal.shown, ppm);
      return { shown: new Date(terminal.shown).toISOString() };
    },
  ),
  'factory-reset': action('make it as new, and start it anew', {}, ({ terminal }: TerminalPlace) => {
    terminal.factoryReset();
  }),
} satisfies Readonly<Record<string, Action<TerminalPlace>>>;

/** What can be done to a module. */
export const MODULE_ACTIONS = {
  set: action(
    'set a register, as what it measures would',
    {
      register: z.string().describe('its name'),
      value: whole('0 or 1 of a contact; else up to 65535', 0, 0xffff),
    },
    (module: IoModule, { register, value }) => {
      const found = module.registers.find((one) => one.name === register);
      if (found === undefined) {
        const known = module.registers.map((one) => one.name);
        throw new RequestError('register', `no register is called ${register}; ${suggest(register, known)}`);
      }
      if (value > 1 && (found.kind === 'coil' || found.kind === 'discrete'))
        throw new RequestError('value', `${register} is 0 or 1`);
      found.value = value;
    },
  ),
  'power-off': action('cut its power', {}, (module: IoModule) => {
    module.alive = false;
  }),
  'power-on': action('give it power again', {}, (module: IoModule) => {
    module.alive = true;
  }),
} satisfies Readonly<Record<string, Action<IoModule>>>;

/** What can be done to a terminal. */
export const TERMINAL_ACTIONS = {
  ...FRONT_ACTIONS,
  ...PEOPLE_ACTIONS,
  ...SERVICE,
  ...PORTABLE_ACTIONS,
  ...LINE_ACTIONS,
} satisfies Readonly<Record<string, Action<TerminalPlace>>>;

/** The action of a line by its name; `unplug` is `unplug-line` where there is only a line. */
export function lineAction(name: string): Action<LinePlace> | undefined {
  return find(LINE_ACTIONS, name) ?? find(LINE_ACTIONS, `${name}-line`);
}

export function terminalAction(name: string): Action<TerminalPlace> | undefined {
  return find(TERMINAL_ACTIONS, name);
}

export function moduleAction(name: string): Action<IoModule> | undefined {
  return find(MODULE_ACTIONS, name);
}

function find<At>(actions: Readonly<Record<string, Action<At>>>, name: string): Action<At> | undefined {
  return Object.hasOwn(actions, name) ? actions[name] : undefined;
}
