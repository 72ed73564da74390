import { z } from 'zod';
import type { Button } from '../firmware/portable/portable.ts';
import { action, answering } from './action.ts';
import type { Action, TerminalPlace } from './action.ts';
import { whole } from '../values/numbers.ts';
import { pin, truth } from './options.ts';
import type { DisplayView, WindowView } from './views.ts';

const MOST_OPERATORS = 0xffff;
const MOST_TASKS = 0xffff_ffff;

const shows = z.object({
  shows: z
    .string()
    .describe('The window in front on its display; where there is none, its mode and who is logged in.'),
});

function press(at: TerminalPlace, button: Button): { shows: string } {
  const { window, mode, operator } = at.terminal.press(button);
  return { shows: window === undefined ? `[${mode}] ${showOperator(operator)}` : showWindow(window) };
}

function showOperator(operator: DisplayView['operator']): string {
  return operator === undefined
    ? 'nobody is logged in'
    : `${operator.name === '' ? 'operator' : operator.name} (${operator.id}) is logged in`;
}

/** What can be done to a portable terminal besides. */
export const PORTABLE_ACTIONS = {
  dock: action(
    'put it into its charging dock: supply voltage, and its line',
    {},
    ({ terminal, line }: TerminalPlace) => {
      line.medium.setPlugged(terminal, true);
      terminal.setSupply(true);
    },
  ),
  undock: action('take it out of its dock', {}, ({ terminal, line }: TerminalPlace) => {
    terminal.setSupply(false);
    line.medium.setPlugged(terminal, false);
  }),
  supply: action(
    'switch the supply voltage of its dock',
    { present: truth('on or off') },
    ({ terminal }: TerminalPlace, { present }) => {
      terminal.setSupply(present);
    },
  ),
  'log-in': answering(
    'log in at it',
    {
      operator: whole('number of the operator', 1, MOST_OPERATORS),
      pin,
    },
    shows,
    (at: TerminalPlace, { operator, pin }) => press(at, { button: 'log-in', operator, pin }),
  ),
  'log-out': answering('log out at it', {}, shows, (at: TerminalPlace) => press(at, { button: 'log-out' })),
  mode: answering(
    'choose whether it works online or offline',
    { mode: z.enum(['online', 'offline']).describe('online or offline') },
    shows,
    (at: TerminalPlace, { mode }) => press(at, { button: 'mode', mode }),
  ),
  sync: answering(
    'synchronise, send only, or download only',
    {
      mode: z
        .enum(['synchronise', 'send', 'download'])
        .default('synchronise')
        .describe('synchronise (send, then download), send or download'),
      task: whole('', 1, MOST_TASKS).optional().describe('number of the task; the last one when not given'),
      files: truth('').optional().describe('also files: on or off'),
    },
    shows,
    (at: TerminalPlace, given) => press(at, { button: 'sync', ...given }),
  ),
  'sync-options': answering(
    'set what it does by itself in its dock',
    {
      automatic: truth('').optional().describe('sync in the dock: on or off'),
      data: truth('').optional().describe('download data, too: on or off'),
      files: truth('').optional().describe('download files, too: on or off'),
    },
    shows,
    (at: TerminalPlace, given) => press(at, { button: 'options', ...given }),
  ),
  confirm: answering('press yes', {}, shows, (at: TerminalPlace) => press(at, { button: 'confirm' })),
  cancel: answering('cancel the sync that is under way', {}, shows, (at: TerminalPlace) =>
    press(at, { button: 'cancel' }),
  ),
  close: answering('close the message or question that it shows', {}, shows, (at: TerminalPlace) =>
    press(at, { button: 'close' }),
  ),
} satisfies Readonly<Record<string, Action<TerminalPlace>>>;

/** What the display shows, in lines of a label and a text each. */
export function showDisplay(display: DisplayView): string[][] {
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

function showWindow(window: WindowView): string {
  if (window.kind === 'message') return `[${window.colour}] ${window.text}`;
  if (window.kind !== 'progress') return `[question] ${window.text}`;
  const { stage, done, total, bytes, rate, left } = window;
  const counts = total === 0 ? '' : ` ${done} of ${total}`;
  const speed = rate === 0 ? '' : `, ${bytes} bytes, ${rate} bytes/s, ${left} s left`;
  return `[${window.mode}] ${stage}${counts}${speed}`;
}
