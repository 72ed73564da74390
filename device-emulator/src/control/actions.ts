import { z } from 'zod';
import type { IoModule } from '../modbus/units.ts';
import { RequestError } from '../values/given.ts';
import { suggest } from '../values/nearest.ts';
import { fraction, whole } from '../values/numbers.ts';
import { action } from './action.ts';
import type { Action, LinePlace, TerminalPlace } from './action.ts';
import { enrolMany } from './enrol.ts';
import * as take from './options.ts';
import { PORTABLE_ACTIONS } from './portable-actions.ts';

const MOST_AT_ONCE = 100_000;

/** What can be done to a line; named with a terminal, to the line that it is on. */
export const LINE_ACTIONS: Readonly<Record<string, Action<LinePlace>>> = {
  'unplug-line': action(
    'pull the line’s adapter or connection out of the gateway',
    {},
    async ({ line }: LinePlace) => {
      await line.cable.unplug();
      return undefined;
    },
  ),
  'plug-line': action('plug the line in again', {}, async ({ line }: LinePlace) => {
    await line.cable.plug();
    return undefined;
  }),
};

const PEOPLE: Readonly<Record<string, Action<TerminalPlace>>> = {
  enrol: action(
    'enrol users, or more credentials of one who is there',
    {
      user: take.user.optional().describe('id of the (first) user; the next free one when not given'),
      name: take.name.optional().describe('name, as shown at the terminal'),
      groups: take.groups.optional().describe('access groups, such as 1,2'),
      finger: take.finger.optional().describe('slot of the finger that is pressed'),
      fingers: take.fingers.optional().describe('so many fingers, from slot 0 on'),
      card: take.cardSlot.optional().describe('slot of the card that is held to the reader'),
      number: take.cardNumber.optional().describe('number of that card, in hex'),
      face: take.face.optional().describe('slot of the face'),
      count: whole('', 1, MOST_AT_ONCE).default(1).describe('so many users, one after the other'),
    },
    async ({ terminal, clock }: TerminalPlace, { number, card, ...enrolment }) => {
      const held = number === undefined ? card : { slot: card ?? 0, number };
      return { users: await enrolMany(terminal, clock, { ...enrolment, card: held }) };
    },
  ),
  edit: action(
    'change a user at the terminal’s menu',
    {
      user: take.user,
      name: take.name.optional().describe('the new name'),
      groups: take.groups.optional().describe('the new access groups, such as 1,2'),
      clear: take.fields.default([]).describe('fields to clear, such as finger.3,name'),
    },
    ({ terminal }: TerminalPlace, { user, clear, ...set }) => ({
      changed: terminal.edit({ user, set, clear }),
    }),
  ),
  delete: action('delete a user', { user: take.user }, ({ terminal }: TerminalPlace, { user }) => {
    terminal.remove(user);
    return undefined;
  }),
  tap: action(
    'ask to be let in',
    {
      user: take.user.optional().describe('id of the user who shows a finger, face or card'),
      card: take.cardNumber.optional().describe('number of the card that is shown, in hex'),
    },
    ({ terminal }: TerminalPlace, { user, card }) => {
      if (card !== undefined && user === undefined) return terminal.tap({ card });
      if (user !== undefined && card === undefined) return terminal.tap({ user });
      throw new RequestError('user', 'say who taps: --user or --card');
    },
  ),
  'enrol-fail': action(
    'begin an enrolment and give it up',
    { user: take.user.optional().describe('id of the user') },
    ({ terminal }: TerminalPlace, { user }) => {
      terminal.enrolFailed(user);
      return undefined;
    },
  ),
  pair: action(
    'choose "pair" in its menu: shows the code to be typed at the gateway',
    {},
    (at: TerminalPlace) => ({
      code: at.terminal.pair(),
    }),
  ),
  tamper: action('open the housing', {}, ({ terminal }: TerminalPlace) => {
    terminal.tamper();
    return undefined;
  }),
};

const HIGHEST_MV = 60_000;

const SENSES = {
  'supply-mv': whole('', 0, HIGHEST_MV).optional().describe('supply voltage, millivolts; 0 for none'),
  'battery-mv': whole('', 0, HIGHEST_MV).optional().describe('battery voltage, millivolts; 0 for none'),
  'battery-percent': whole('', 0, 100).optional().describe('what is left in the battery'),
  tamper: take.truth('').optional().describe('the housing is open: yes or no'),
  door: take.truth('').optional().describe('the door is open: yes or no'),
  docked: take.truth('').optional().describe('it sits in its dock: yes or no'),
};

const SERVICE: Readonly<Record<string, Action<TerminalPlace>>> = {
  reboot: action('start it anew', {}, ({ terminal }: TerminalPlace) => {
    terminal.reboot();
    return undefined;
  }),
  'power-off': action('cut its power', {}, ({ terminal }: TerminalPlace) => {
    terminal.powerOff();
    return undefined;
  }),
  'power-on': action('give it power again', {}, ({ terminal }: TerminalPlace) => {
    terminal.powerOn();
    return undefined;
  }),
  unplug: action('take it off its line', {}, ({ terminal, line }: TerminalPlace) => {
    line.medium.setPlugged(terminal, false);
    return undefined;
  }),
  plug: action('put it back on its line', {}, ({ terminal, line }: TerminalPlace) => {
    line.medium.setPlugged(terminal, true);
    return undefined;
  }),
  sense: action(
    'set what it measures: supply, battery, contacts; Modbus tells of it',
    SENSES,
    ({ terminal }: TerminalPlace, given) => {
      const {
        'supply-mv': supplyMv,
        'battery-mv': batteryMv,
        'battery-percent': batteryPercent,
        ...bits
      } = given;
      const named = { supplyMv, batteryMv, batteryPercent, ...bits };
      Object.assign(
        terminal.sensors,
        Object.fromEntries(Object.entries(named).filter(([, one]) => one !== undefined)),
      );
      return { ...terminal.sensors };
    },
  ),
  'clear-log': action('clear its log', {}, ({ terminal }: TerminalPlace) => {
    terminal.clearLog();
    return undefined;
  }),
  'set-clock': action(
    'set its clock, or how fast that runs',
    {
      time: take.time.optional().describe('what it shall show, such as 2026-05-01T08:00:00Z'),
      ppm: fraction('', -100_000, 100_000)
        .optional()
        .describe('millionths by which it runs fast from now on'),
    },
    ({ terminal }: TerminalPlace, { time, ppm }) => {
      if (time === undefined && ppm === undefined)
        throw new RequestError('time', 'say what to set: --time or --ppm');
      terminal.setClock(time ?? terminal.shown, ppm);
      return { shown: new Date(terminal.shown).toISOString() };
    },
  ),
  'factory-reset': action('make it as new, and start it anew', {}, ({ terminal }: TerminalPlace) => {
    terminal.factoryReset();
    return undefined;
  }),
};

/** What can be done to a module. */
export const MODULE_ACTIONS: Readonly<Record<string, Action<IoModule>>> = {
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
      return undefined;
    },
  ),
  'power-off': action('cut its power', {}, (module: IoModule) => {
    module.alive = false;
    return undefined;
  }),
  'power-on': action('give it power again', {}, (module: IoModule) => {
    module.alive = true;
    return undefined;
  }),
};

/** What can be done to a terminal. */
export const TERMINAL_ACTIONS: Readonly<Record<string, Action<TerminalPlace>>> = {
  ...PEOPLE,
  ...SERVICE,
  ...PORTABLE_ACTIONS,
  ...LINE_ACTIONS,
};

/** The action of a line by its name; `unplug` is `unplug-line` where there is only a line. */
export function lineAction(name: string): Action<LinePlace> | undefined {
  for (const key of [name, `${name}-line`]) if (Object.hasOwn(LINE_ACTIONS, key)) return LINE_ACTIONS[key];
  return undefined;
}

export function terminalAction(name: string): Action<TerminalPlace> | undefined {
  return Object.hasOwn(TERMINAL_ACTIONS, name) ? TERMINAL_ACTIONS[name] : undefined;
}

export function moduleAction(name: string): Action<IoModule> | undefined {
  return Object.hasOwn(MODULE_ACTIONS, name) ? MODULE_ACTIONS[name] : undefined;
}
