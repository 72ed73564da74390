import { z } from 'zod';
import type { Display, Window } from '../firmware/portable/display.ts';
import type { Button } from '../firmware/portable/portable.ts';
import { action } from './action.ts';
import type { Action, TerminalPlace } from './action.ts';
import { whole } from '../values/numbers.ts';

const MOST_OPERATORS = 0xffff;
const MOST_TASKS = 0xffff_ffff;

function press(at: TerminalPlace, button: Button): { shows: string } {
  const { window } = at.terminal.press(button);
  return { shows: window === undefined ? 'nothing' : showWindow(window) };
}

/** A switch, as JSON or as text from a shell. */
const onOff = z.preprocess(
  (given) => (given === 'on' ? true : given === 'off' ? false : given),
  z.boolean('say on or off'),
);

/** What can be done to a portable terminal besides. */
export const PORTABLE_ACTIONS: Readonly<Record<string, Action<TerminalPlace>>> = {
  dock: action(
    'put it into its charging dock: supply voltage, and its line',
    {},
    ({ terminal, line }: TerminalPlace) => {
      line.medium.setPlugged(terminal, true);
      terminal.setSupply(true);
      return undefined;
    },
  ),
  undock: action('take it out of its dock', {}, ({ terminal, line }: TerminalPlace) => {
    terminal.setSupply(false);
    line.medium.setPlugged(terminal, false);
    return undefined;
  }),
  supply: action(
    'switch the supply voltage of its dock',
    { present: onOff.describe('on or off') },
    ({ terminal }: TerminalPlace, { present }) => {
      terminal.setSupply(present);
      return undefined;
    },
  ),
  'log-in': action(
    'log in at it',
    {
      operator: whole('number of the operator', 1, MOST_OPERATORS),
      pin: z
        .string()
        .regex(/^\d{1,16}$/, 'a PIN is digits')
        .describe('what is typed there'),
    },
    (at: TerminalPlace, { operator, pin }) => press(at, { button: 'log-in', operator, pin }),
  ),
  'log-out': action('log out at it', {}, (at: TerminalPlace) => press(at, { button: 'log-out' })),
  mode: action(
    'choose whether it works online or offline',
    { mode: z.enum(['online', 'offline']).describe('online or offline') },
    (at: TerminalPlace, { mode }) => press(at, { button: 'mode', mode }),
  ),
  sync: action(
    'synchronise, send only, or download only',
    {
      mode: z
        .enum(['synchronise', 'send', 'download'])
        .default('synchronise')
        .describe('synchronise (send, then download), send or download'),
      task: whole('', 1, MOST_TASKS).optional().describe('number of the task; the last one when not given'),
      files: onOff.optional().describe('also files: on or off'),
    },
    (at: TerminalPlace, given) => press(at, { button: 'sync', ...given }),
  ),
  'sync-options': action(
    'set what it does by itself in its dock',
    {
      automatic: onOff.optional().describe('sync in the dock: on or off'),
      data: onOff.optional().describe('download data, too: on or off'),
      files: onOff.optional().describe('download files, too: on or off'),
    },
    (at: TerminalPlace, given) => press(at, { button: 'options', ...given }),
  ),
  confirm: action('press yes', {}, (at: TerminalPlace) => press(at, { button: 'confirm' })),
  cancel: action('cancel the sync that is under way', {}, (at: TerminalPlace) =>
    press(at, { button: 'cancel' }),
  ),
  close: action('close the message or question that it shows', {}, (at: TerminalPlace) =>
    press(at, { button: 'close' }),
  ),
};

/** What the display shows, in lines of a label and a text each. */
export function showDisplay(display: Display): string[][] {
  const { mode, online, supply, operator, unsent, synced, tasks, answers, files, window } = display;
  const task = tasks.find(({ id }) => id === synced)?.name;
  return [
    [
      'mode',
      `${mode}${online && mode === 'offline' ? ', online for the sync' : ''}${supply ? ', in its dock' : ''}`,
    ],
    ['operator', operator === undefined ? 'nobody is logged in' : `${operator.name} (${operator.id})`],
    ['task', synced === undefined ? 'has not synced yet' : `${task ?? ''} (${synced})`.trimStart()],
    ['tasks', tasks.map(({ id, name }) => `${id} ${name}`).join(', ') || 'none'],
    ['unsent', unsent.map(({ user, what }) => `${user} ${what}`).join(', ') || 'nothing'],
    ...answers
      .filter(({ result }) => result !== 'merged')
      .map(({ user, result, reason }) => [`user ${user}`, `${result}${reason === '' ? '' : `: ${reason}`}`]),
    ...files.map(({ name, kind, size, stored }) => ['file', `${name}, ${kind}, ${stored} of ${size} bytes`]),
    ['window', window === undefined ? '–' : showWindow(window)],
  ];
}

function showWindow(window: Window): string {
  if (window.kind === 'message') return `[${window.colour}] ${window.text}`;
  if (window.kind !== 'progress') return `[question] ${window.text}`;
  const { stage, done, total, bytes, rate, left } = window;
  const counts = total === 0 ? '' : ` ${done} of ${total}`;
  const speed = rate === 0 ? '' : `, ${bytes} bytes, ${rate} bytes/s, ${left} s left`;
  return `[${window.mode}] ${stage}${counts}${speed}`;
}
